"""Where an app listens: the port of its start command, or of gunicorn's configuration, which is never run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.starting.listening import address_port, named_port, words_of
from tests.detectors.trees import evidence, outcome, package, service

FLASK = {"app.py": "from flask import Flask\napp = Flask(__name__)\n", "requirements.txt": "flask\ngunicorn\n"}


def configured(config: str, command: str = "gunicorn -c conf/g.py app:app") -> int | None:
    return service({**FLASK, "Procfile": f"web: {command}\n", "conf/g.py": config}).port


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("gunicorn --bind 0.0.0.0:9001 app:app", 9001),
        ("gunicorn -b :9002 app:app", 9002),
        ("gunicorn -b[::]:9003 app:app", 9003),
        ("gunicorn --bind=0.0.0.0:9004 app:app", 9004),
        ("uvicorn app:app --host 0.0.0.0 --port 9005", 9005),
        ("python manage.py runserver 0.0.0.0:9006", 9006),
        ("python -m http.server 9007", 9007),
        ("echo up && waitress-serve --port=9008 app:app", 9008),
        ("gunicorn -p /tmp/pid --bind 0.0.0.0:9009 app:app", 9009),
        ("gunicorn --bind 0.0.0.0:$PORT app:app", 8000),
        ("gunicorn --bind unix:/tmp/x.sock app:app", 8000),
        ("gunicorn --bind 0.0.0.0:99999 app:app", 8000),
        ("gunicorn app:app --bind", 8000),
    ],
)
def test_the_port_that_the_start_command_names_is_expected(command: str, port: int) -> None:
    assert service(FLASK | {"Procfile": f"web: {command}\n"}).port == port
    assert service(FLASK, start=command).port == port


def test_node_too() -> None:
    files = {"package.json": package(dependencies={"express": "5"}), "package-lock.json": ""}
    assert service(files | {"Procfile": "web: node a.js --port 4000\n"}).port == 4000
    assert service(files, start="node a.js --port 4001").port == 4001


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ('bind = "0.0.0.0:8080"', 8080),
        ('workers = 2\nbind = ["[::]:8081", "127.0.0.1:1"]', 8081),
        ('import os\nbind = ["[::]:{}".format(os.environ.get("PORT", 5006))]', 5006),
        ('import os\nport = os.getenv("PORT", "5007")\nbind = f"0.0.0.0:{port}"', 5007),
        ('bind = "0.0.0.0:%d" % 5008', 5008),
        ('if True:\n  bind = ":5009"', 5009),
        ('bind = "0.0.0.0:1"\nbind = "0.0.0.0:5010"', 5010),
        ('import os\nbind = "0.0.0.0:" + os.environ["PORT"]', 8000),
        ('bind = "unix:/run/app.sock"', 8000),
        ("bind = bind", 8000),
        ("a = b\nb = a\nbind = a + b", 8000),
        ("bind = 0x" + "f" * 5000, 8000),
        ("bind = " + "[" * 80 + "8080" + "]" * 80, 8080),
        ("bind = (", 8000),
        ("import nothing; raise SystemExit", 8000),
        ("", 8000),
    ],
)
def test_gunicorn_s_configuration_says_where_it_listens(config: str, port: int) -> None:
    assert configured(config) == port


def test_the_command_line_beats_the_configuration() -> None:
    assert configured('bind = ":8080"', "gunicorn -c conf/g.py --bind 0.0.0.0:$PORT app:app") == 8000


def test_only_the_configuration_in_effect_counts() -> None:
    named = {**FLASK, "Procfile": "web: gunicorn --config=file:./g/a.py app:app\n", "g/a.py": 'bind = ":8082"'}
    assert service(named).port == 8082
    by_custom = {**FLASK, "Procfile": "web: gunicorn app:app\n", "gunicorn.conf.py": 'x = 1\nbind = ":8083"'}
    found = service(by_custom)
    assert (found.port, evidence(found, "port")) == (8083, "gunicorn.conf.py:2")
    module = {**FLASK, "Procfile": "web: gunicorn -c python:g.a app:app\n", "g/a.py": 'bind = ":8084"'}
    assert service(module).port == 8084
    assert service({**FLASK, "gunicorn.conf.py": 'bind = ":8085"'}).port == 8000  # our own --bind wins
    assert configured('bind = ":8080"', "gunicorn -c ../../etc/passwd app:app") == 8000


def test_a_program_that_the_procfile_runs_says_its_port() -> None:
    files = FLASK | {
        "app.py": FLASK["app.py"] + "app.run(host='0.0.0.0', port=5001)\n",
        "Procfile": "web: python app.py\n",
    }
    assert (service(files).port, evidence(service(files), "port")) == (5001, "app.py:3")


def test_a_number_with_more_digits_than_can_be_written_is_no_port() -> None:
    code = "import http.server as h\nh.HTTPServer(('', 0x" + "f" * 5000 + "), H).serve_forever()\n"
    assert service({"main.py": code}).port == 8000


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_words_give_a_port_or_none(words: list[str]) -> None:
    port = named_port(tuple(words))
    assert port is None or 0 < port < 65536


@given(st.text(max_size=60))
def test_any_line_has_words(line: str) -> None:
    assert all(isinstance(word, str) for word in words_of(("sh", "-c", line)))


@given(st.integers(1, 65535), st.sampled_from(["", ":", "0.0.0.0:", "[::]:", "localhost:"]))
def test_every_address_with_a_port_is_read(port: int, host: str) -> None:
    assert address_port(f"{host}{port}") == port


@given(st.text(alphabet="bind =\"':[](){}0189.f%+x\n\\", max_size=80))
def test_any_configuration_gives_a_result(text: str) -> None:
    outcome({**FLASK, "Procfile": "web: gunicorn app:app\n", "gunicorn.conf.py": text})
