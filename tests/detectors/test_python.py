"""Python: the app object by syntax tree, package managers, Django, workers and libraries."""

from __future__ import annotations

import pytest

from tests.detectors.trees import evidence, reason, service, warnings

FASTAPI = 'from fastapi import FastAPI\n\napi = FastAPI()\n\n\n@api.get("/health")\ndef health(): ...\n'
UVICORN = ("--host", "0.0.0.0", "--port", "${PORT:-8000}")


def project(app: dict[str, str], *requirements: str) -> dict[str, str]:
    return {"requirements.txt": "\n".join(requirements) + "\n", **app}


def test_fastapi_is_started_by_its_module_and_variable() -> None:
    found = service(project({"main.py": FASTAPI}, "fastapi>=0.115", "uvicorn[standard]==0.34"))
    assert (found.framework, found.start) == ("fastapi", ("uvicorn", "main:api", *UVICORN))
    assert (found.port, found.health_path) == (8000, "/health")
    assert evidence(found, "start") == "main.py:3"
    assert evidence(found, "health_path") == "main.py:6"
    assert warnings(found) == []


@pytest.mark.parametrize(
    ("files", "argv"),
    [
        ({"app/main.py": FASTAPI, "app/__init__.py": ""}, ("uvicorn", "app.main:api", *UVICORN)),
        ({"app/main.py": FASTAPI}, ("uvicorn", "app.main:api", *UVICORN)),
        (
            {"src/shop/main.py": FASTAPI, "src/shop/__init__.py": ""},
            ("uvicorn", "shop.main:api", *UVICORN, "--app-dir", "src"),
        ),
        (
            {"backend/main.py": "import models\n" + FASTAPI, "backend/models.py": ""},
            ("uvicorn", "main:api", *UVICORN, "--app-dir", "backend"),
        ),
        ({"server.py": "import fastapi as f\nx = f.FastAPI()"}, ("uvicorn", "server:x", *UVICORN)),
        (
            {"main.py": "from fastapi import FastAPI as F\ntry:\n  app: F = F()\nfinally: pass"},
            ("uvicorn", "main:app", *UVICORN),
        ),
        (
            {"main.py": "from fastapi import FastAPI\ndef build(x=1):\n    return FastAPI()\n"},
            ("uvicorn", "main:build", *UVICORN, "--factory"),
        ),
        (
            {"main.py": FASTAPI, "tests/main.py": FASTAPI, "worker.py": "import fastapi"},
            ("uvicorn", "main:api", *UVICORN),
        ),
    ],
)
def test_the_app_is_found_wherever_it_is(files: dict[str, str], argv: tuple[str, ...]) -> None:
    assert service(project(files, "fastapi", "uvicorn")).start == argv


def test_text_that_only_mentions_the_constructor_is_no_app() -> None:
    told = reason(project({"main.py": '"""app = FastAPI()"""\nx = "FastAPI()"\n'}, "fastapi"))
    assert "requirements.txt:1 depends on fastapi" in told
    assert "shipway.yaml" in told


def test_a_second_app_is_warned_of() -> None:
    found = service(project({"main.py": FASTAPI, "admin.py": FASTAPI}, "fastapi", "uvicorn"))
    assert any(item.startswith("admin.py:3 another app") for item in warnings(found))


def test_a_server_missing_from_the_dependencies_is_told() -> None:
    found = service(project({"main.py": FASTAPI}, "fastapi"))
    assert any("uvicorn is not among the dependencies" in item for item in warnings(found))
    assert warnings(service(project({"main.py": FASTAPI}, "fastapi[standard]"))) == []


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"app.py": "from flask import Flask\napp = Flask(__name__)"}, "app:app"),
        (
            {"shop/__init__.py": "import flask\ndef create_app(config=None):\n  return flask.Flask(__name__)"},
            "shop:create_app()",
        ),
        (
            {
                "shop/__init__.py": "from flask import Flask\ndef create_app():\n  return Flask(__name__)",
                "wsgi.py": "from shop import create_app\napplication = create_app()",
            },
            "wsgi:application",
        ),
    ],
)
def test_flask_is_served_by_gunicorn(files: dict[str, str], target: str) -> None:
    found = service(project(files, "Flask", "gunicorn"))
    assert (found.framework, found.start) == ("flask", ("gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", target))


def test_starlette_is_found_but_fastapi_stands_before_it() -> None:
    code = "from starlette.applications import Starlette\napp = Starlette()"
    assert service(project({"main.py": code}, "starlette", "uvicorn")).framework == "starlette"
    assert service(project({"main.py": FASTAPI}, "starlette", "fastapi", "uvicorn")).framework == "fastapi"


MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
SETTINGS = "STATIC_ROOT = BASE_DIR / 'static'\nWSGI_APPLICATION = 'shop.wsgi.application'\nROOT_URLCONF = 'shop.urls'\n"


def django(prefix: str = "") -> dict[str, str]:
    files = {
        "manage.py": MANAGE,
        "shop/settings.py": SETTINGS,
        "shop/wsgi.py": "",
        "shop/urls.py": "urlpatterns = [\n  path('healthz/', ok)]",
    }
    return project({prefix + name: text for name, text in files.items()}, "Django==5.2", "gunicorn")


def test_django_is_read_from_its_settings() -> None:
    found = service(django())
    assert found.start == ("gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", "shop.wsgi:application")
    assert found.build == ("python", "manage.py", "collectstatic", "--noinput")
    assert found.health_path == "/healthz/"
    assert evidence(found, "build") == "shop/settings.py:1"


def test_django_in_a_folder_below_its_requirements() -> None:
    found = service(django("backend/"))
    assert found.start[:3] == ("gunicorn", "--chdir", "backend")
    assert found.build == ("python", "backend/manage.py", "collectstatic", "--noinput")


def test_django_without_static_root_collects_nothing_and_falls_back_to_the_wsgi_module() -> None:
    files = django() | {"shop/settings.py": "DEBUG = False"}
    found = service(files)
    assert (found.build, found.start[-1]) == ((), "shop.wsgi:application")


def test_django_started_by_a_procfile_is_still_built_and_its_release_process_is_only_told() -> None:
    procfile = "web: gunicorn shop.wsgi --log-file -\nrelease: python manage.py migrate\n"
    found = service(django() | {"Procfile": procfile})
    assert found.start == ("gunicorn", "shop.wsgi", "--log-file", "-")
    assert found.build == ("python", "manage.py", "collectstatic", "--noinput")
    assert found.health_path == "/healthz/"
    assert any(told.startswith("Procfile:2 the release process is not run") for told in warnings(found))
    assert not any("migrate" in word for word in (*found.build, *found.start))


def test_a_start_command_of_another_app_has_not_the_health_route_of_the_one_that_was_found() -> None:
    files = project({"main.py": FASTAPI, "other.py": "x = 1"}, "fastapi", "uvicorn")
    assert service(files, start="uvicorn main:api --port 9000").health_path == "/health"
    assert service(files, start="uvicorn other:x --host 0.0.0.0").health_path is None


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "from setuptools import setup\nsetup(name='x', install_requires=['flask>=3'])"},
        {"setup.py": "import setuptools as s\nneeds = ['flask']\ns.setup(install_requires=needs)"},
        {"setup.cfg": "[metadata]\nname = x\n[options]\ninstall_requires =\n    # web\n    flask>=3\n"},
        {"setup.cfg": "[options]\ninstall_requires = flask\n"},
    ],
)
def test_setup_files_say_what_a_project_depends_on(files: dict[str, str]) -> None:
    found = service({**files, "app.py": "from flask import Flask\napp = Flask(__name__)"})
    assert (found.framework, found.package_manager, found.manifests) == ("flask", "pip", tuple(files))


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "setup(install_requires=open('r.txt').read())"},
        {"setup.py": "setup(install_requires=[1, *x, None]"},
        {"setup.py": "setup(**{'install_requires': ['flask']})"},
        {"setup.cfg": "[options.extras_require]\ninstall_requires =\n  flask\n"},
        {"setup.cfg": "[metadata]\ndescription = a\n  install_requires = flask\n"},
    ],
)
def test_what_a_setup_file_works_out_is_not_guessed(files: dict[str, str]) -> None:
    assert "no web framework" in reason({**files, "app.py": "from flask import Flask\napp = Flask(__name__)"})


def test_django_channels_are_served_by_asgi() -> None:
    files = django() | {"shop/asgi.py": "", "requirements.txt": "django\nchannels\nuvicorn\n"}
    assert service(files).start == ("uvicorn", "shop.asgi:application", *UVICORN)


def test_a_worker_and_a_plain_program() -> None:
    celery = project({"tasks.py": "from celery import Celery\napp = Celery('x')"}, "celery")
    found = service(celery)
    assert (found.kind, found.start, found.port) == ("worker", ("celery", "-A", "tasks", "worker"), None)
    program = service({"main.py": "import time\nif __name__ == '__main__':\n    time.sleep(1)\n"})
    assert (program.kind, program.start, program.package_manager) == ("worker", ("python", "main.py"), None)
    server = service({"main.py": "import http.server as h\nh.HTTPServer(('', 9000), H).serve_forever()\n"})
    assert (server.kind, server.port) == ("server", 9000)


def test_streamlit_listens_where_the_platform_says() -> None:
    found = service(project({"app.py": "import streamlit as st\nst.title('x')"}, "streamlit"))
    assert found.start[:3] == ("streamlit", "run", "app.py")
    assert (found.port, found.health_path) == (8501, "/_stcore/health")


APP = {"main.py": FASTAPI}
PYPROJECT = '[project]\nname = "x"\nrequires-python = ">=3.12"\ndependencies = ["fastapi", "uvicorn"]\n'
POETRY = (
    '[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "*"\nuvicorn = {version = "*", extras = ["standard"]}\n'
)


@pytest.mark.parametrize(
    ("files", "manager", "manifests"),
    [
        ({"pyproject.toml": PYPROJECT, "uv.lock": ""}, "uv", ("pyproject.toml", "uv.lock")),
        ({"pyproject.toml": PYPROJECT}, "uv", ("pyproject.toml",)),
        ({"pyproject.toml": PYPROJECT + '[build-system]\nrequires = ["x"]\n'}, "uv", ("pyproject.toml",)),
        ({"pyproject.toml": POETRY, "poetry.lock": ""}, "poetry", ("pyproject.toml", "poetry.lock")),
        ({"pyproject.toml": POETRY}, "poetry", ("pyproject.toml",)),
        (
            {"Pipfile": '[packages]\nfastapi = "*"\nuvicorn = "*"\n', "Pipfile.lock": ""},
            "pipenv",
            ("Pipfile", "Pipfile.lock"),
        ),
        (
            {
                "requirements.txt": "-r base/a.txt\nuvicorn\n",
                "base/a.txt": "-r b.txt\n-r ../../out.txt\n",
                "base/b.txt": "fastapi",
            },
            "pip",
            ("requirements.txt", "base/a.txt", "base/b.txt"),
        ),
    ],
)
def test_the_package_manager_and_its_manifests(files: dict[str, str], manager: str, manifests: tuple[str, ...]) -> None:
    found = service({**APP, **files})
    assert (found.framework, found.package_manager, found.manifests) == ("fastapi", manager, manifests)


@pytest.mark.parametrize(
    "line",
    [
        "FastAPI >= 0.1 ; python_version > '3'",
        "fastapi[standard]==0.115 --hash=sha256:aa \\\n    --hash=sha256:bb",
        "-e git+https://example.com/fastapi.git#egg=fastapi",
        "fastapi @ https://example.com/fastapi.whl",
        "fastapi  # the framework",
    ],
)
def test_requirement_lines_are_parsed(line: str) -> None:
    assert service({**APP, "requirements.txt": f"# flask\n--index-url https://flask\n{line}\n"}).framework == "fastapi"


def test_a_name_inside_another_name_is_no_dependency() -> None:
    assert "no web framework" in reason({**APP, "requirements.txt": "fastapi-utils\nmy-django\nflask_x\n"})


def test_a_library_is_refused() -> None:
    told = reason({"pyproject.toml": PYPROJECT.replace('"fastapi", "uvicorn"', ""), "src/x/__init__.py": ""})
    assert "a library or a tool with nothing to run" in told
    assert "shipway.yaml" in told
