from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clients.process import base_environment, run
from detectors.model import Service
from pipeline.artifacts import BuildPlan, BuildStage, Cache, Copy, Env, Run, Secret, Step
from pipeline.dockerfile import dockerfile, dockerignore
from pipeline.plans import PlanError, plan
from tests.pipeline.dockerfile_reader import Instruction, instructions
from tests.pipeline.sample_services import BASES, SERVICES, service

GOLDEN = Path(__file__).parent / "golden"
STATIC: dict[str, Service] = {
    "static-site": service(name="static-site", kind="static", language="static", language_version=None, port=None),
    "node-static": service(
        name="node-static",
        kind="static",
        package_manager="npm",
        build=("npm", "run", "build"),
        manifests=("package-lock.json", "package.json"),
        output="dist",
        port=None,
        start=(),
    ),
}
ALL = {**SERVICES, **STATIC}

REFUSED = [chr(code) for code in (0x00, 0x09, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x2028, 0x2029, 0x202E, 0x2066, 0xD800)]
safe_text = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
    ),
    max_size=12,
)
HOSTILE = r"""
$HOME|${PATH}|$(id)|`id`|\|a\|'|"|''|--mount=type=bind|--from=x|<<EOF|*|?|[a]|["a"]|;|!|A=b|if|{|~|\u00e9|é
# syntax=evil/image|# escape=`|a b| a |&& id|FROM x|${PORT:-|%s|-n|a,b|/..|#
"""
hostile = st.sampled_from([word for line in HOSTILE.strip("\n").split("\n") for word in line.split("|")])
words = st.one_of(safe_text, hostile, st.builds(str.__add__, hostile, hostile))
full_words = words.filter(bool)
sources = full_words.filter(lambda word: not set(word) & set("*?[]\\") and not word.startswith("!"))
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
copies = st.builds(
    Copy,
    st.just("copy"),
    words,
    st.lists(sources, min_size=1, max_size=3).map(tuple),
    full_words,
    st.sampled_from([None, "build"]),
    st.booleans(),
)
runs = st.builds(
    Run,
    st.just("run"),
    words,
    st.lists(words, min_size=1, max_size=4).map(tuple),
    st.sampled_from([(), (Cache("npm", "/root/.npm"),)]),
    st.sampled_from([(), (Secret("npmrc", "/root/.npmrc"), Secret("ca-bundle", "/etc/ca.crt"))]),
    st.one_of(st.none(), st.dictionaries(names, words, max_size=2)),
)
environments = st.builds(Env, st.just("env"), words, st.dictionaries(names, words, min_size=1, max_size=3))
steps = st.lists(st.one_of(copies, runs, environments), max_size=4).map(tuple)


def made(name: str) -> str:
    return dockerfile(plan(ALL[name]), BASES, cache_scope="ws-local")


def any_plan(
    first: tuple[Step, ...], start: tuple[str, ...], health: tuple[str, ...] | None, env: dict[str, str]
) -> BuildPlan:
    stages = (BuildStage("build", "node:20", "/app", first), BuildStage("runtime", "build", "/app", ()))
    return BuildPlan(SERVICES["node-express"], stages, 10001, 3000, env, start, health, "SIGTERM", ())


def assert_says(read: Instruction, step: Step) -> None:
    if isinstance(step, Env):
        assert (read.name, read.variables()) == ("ENV", step.values)
    elif isinstance(step, Copy):
        flags = (*(["--from=build"] if step.stage else []), *(["--chown=10001:10001"] if step.owned else []))
        assert (read.name, read.flags, read.paths()) == ("COPY", flags, [*step.sources, step.target])
    else:
        mounts = [f"--mount=type=cache,id=ws-{c.id},target={c.target},sharing=locked" for c in step.caches]
        mounts += [f"--mount=type=secret,id={s.id},target={s.target}" for s in step.secrets]
        assignments = [f"{name}={value}" for name, value in sorted((step.env or {}).items())]
        assert (read.name, read.flags) == ("RUN", tuple(mounts))
        assert read.shell_words() == [*assignments, *step.argv]


@given(
    steps, st.lists(words, min_size=1, max_size=4), st.one_of(st.none(), st.lists(words, min_size=1, max_size=3)), words
)
@settings(deadline=None, max_examples=200)
def test_whatever_the_values_the_dockerfile_says_exactly_the_plan(
    written: tuple[Step, ...], start: list[str], health: list[str] | None, value: str
) -> None:
    built = any_plan(written, tuple(start), tuple(health) if health else None, {"KEY": value})
    read = instructions(dockerfile(built, BASES, cache_scope="ws"))

    assert [each.name for each in read[:2]] == ["FROM", "WORKDIR"]
    assert read[0].text == "node:20-trixie-slim AS build"
    for instruction, step in zip(read[2:], written, strict=False):
        assert_says(instruction, step)
    rest = read[2 + len(written) :]
    by_name = {each.name: each for each in rest}
    assert by_name["FROM"].text == "build AS runtime"
    assert by_name["ENV"].variables() == {"KEY": value}
    assert by_name["CMD"].json() == start
    if health:
        assert Instruction("CMD", by_name["HEALTHCHECK"].text.removeprefix("CMD ")).json() == health
    expected = ["FROM", "WORKDIR", "ENV", "USER", "EXPOSE", "STOPSIGNAL", *(["HEALTHCHECK"] if health else []), "CMD"]
    assert [each.name for each in rest] == expected


@given(st.lists(words, max_size=4))
@settings(deadline=None, max_examples=40)
def test_a_real_shell_gets_exactly_the_arguments(arguments: list[str]) -> None:
    step = Run("run", "", ("printf", "%s|", *arguments))
    read = instructions(dockerfile(any_plan((step,), ("run",), None, {}), BASES))[2]
    answer = run(["sh", "-c", read.text], timeout=10)
    assert answer.text == "".join(f"{argument}|" for argument in arguments or [""])


@given(words, st.lists(words, max_size=3), words, st.integers(1, 65535))
@settings(deadline=None, max_examples=40)
@example("0.0.0.0:", [], "", 8000)
def test_the_port_of_the_environment_and_nothing_else_is_expanded_in_the_start_command(
    before: str, arguments: list[str], after: str, port: int
) -> None:
    start = ("printf", "%s|", before + "${PORT:-" + str(port) + "}" + after, *arguments)
    read = instructions(dockerfile(any_plan((), start, None, {}), BASES))[-1].json()
    assert read[:2] == ["sh", "-c"]
    for given_port, shown in (("", str(port)), ("4711", "4711")):
        environment = base_environment(**({"PORT": given_port} if given_port else {}))
        expected = "".join(f"{word}|" for word in (f"{before}{shown}{after}", *arguments))
        assert run(read, timeout=10, env=environment).text == expected


@pytest.mark.parametrize("character", REFUSED)
def test_control_characters_are_refused_wherever_they_stand(character: str) -> None:
    bad = f"a{character}b"
    broken: list[BuildPlan] = [
        any_plan((Run("run", "", ("echo", bad)),), ("run",), None, {}),
        any_plan((Run("run", "", ("sh", "-c", bad)),), ("run",), None, {}),
        any_plan((Run("run", bad, ("echo",)),), ("run",), None, {}),
        any_plan((Run("run", "", ("echo",), env={"A": bad}),), ("run",), None, {}),
        any_plan((Copy("copy", "", (bad,), "./"),), ("run",), None, {}),
        any_plan((Copy("copy", "", (".",), bad),), ("run",), None, {}),
        any_plan((Env("env", "", {"A": bad}),), ("run",), None, {}),
        any_plan((), ("run", bad), None, {}),
        any_plan((), ("run", bad + "${PORT:-1}"), None, {}),
        any_plan((), ("run",), ("ask", bad), {}),
        any_plan((), ("run",), None, {"A": bad}),
        plan(service(name=bad)),
    ]
    for each in broken:
        with pytest.raises(PlanError) as refused:
            dockerfile(each, BASES)
        assert refused.value.kind == "not_deployable"
        assert character not in refused.value.what


@pytest.mark.parametrize(
    "broken",
    [
        replace(plan(service()), user=0),
        replace(plan(service()), start=()),
        replace(plan(service()), stop_signal="SIGTERM --x"),
        any_plan((Env("env", "", {"A B": "c"}),), ("run",), None, {}),
        any_plan((Copy("copy", "", (), "./"),), ("run",), None, {}),
        any_plan((Run("run", "", ("a",), (Cache("a,target=/x", "/c"),)),), ("run",), None, {}),
        any_plan((Run("run", "", ("a",), (Cache("a", "/c,readonly"),)),), ("run",), None, {}),
        any_plan((Run("run", "", ("a",), (), (Secret("npmrc", "relative"),)),), ("run",), None, {}),
    ],
)
def test_what_no_dockerfile_can_say_is_refused(broken: BuildPlan) -> None:
    with pytest.raises(PlanError):
        dockerfile(broken, BASES)


@pytest.mark.parametrize("name", ["*", "a?", "[a]", "a]", "a\\b", "!a"])
def test_a_file_name_that_builders_take_for_a_pattern_is_refused(name: str) -> None:
    with pytest.raises(PlanError, match="no Dockerfile can be written"):
        dockerfile(any_plan((Copy("copy", "", (name,), "./"),), ("run",), None, {}), BASES)


def test_a_base_that_is_not_in_the_table_is_refused_by_name() -> None:
    with pytest.raises(PlanError, match=r"no base image node:9"):
        dockerfile(plan(service(language_version="9")), BASES)


@pytest.mark.parametrize("reference", ["node 20", "node:20\nRUN id", "$IMAGE", "--platform=x", ""])
def test_an_image_reference_that_is_none_is_refused(reference: str) -> None:
    with pytest.raises(PlanError):
        dockerfile(plan(service()), {**BASES, "node:20": reference})


def test_a_cache_scope_is_part_of_every_cache_mount() -> None:
    ids = re.findall(r"type=cache,id=([^,]+)", made("python-fastapi"))
    assert ids
    assert all(each.startswith("ws-local-") for each in ids)


@pytest.mark.parametrize("name", ALL)
def test_the_dockerfile_is_the_one_that_people_reviewed(name: str) -> None:
    golden = GOLDEN / f"{name}.Dockerfile"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        golden.write_text(made(name), encoding="utf-8")
    assert made(name) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["node-express", "python-django", "java-spring"])
def test_the_dockerignore_is_the_one_that_people_reviewed(name: str) -> None:
    golden = GOLDEN / f"{name}.dockerignore"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        golden.write_text(dockerignore(plan(ALL[name])), encoding="utf-8")
    assert dockerignore(plan(ALL[name])) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_hadolint_finds_nothing(name: str, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(made(name), encoding="utf-8")
    # The nginx configuration is full of nginx's own variables, which the shell must leave alone (SC2016).
    excepted = ["--ignore", "SC2016"] if name in STATIC else []
    found = run([str(Path(sys.executable).with_name("hadolint")), *excepted, str(file)], timeout=60)
    assert found.text + found.error_text == ""


def test_the_bytes_are_the_same_for_any_hash_seed_and_locale() -> None:
    program = (
        "import hashlib; from pipeline.plans import plan; from pipeline.dockerfile import dockerfile, dockerignore;"
        "from tests.pipeline.sample_services import BASES, SERVICES;"
        "texts = [dockerfile(plan(s), BASES) + dockerignore(plan(s)) for s in SERVICES.values()];"
        "print(hashlib.sha256(''.join(texts).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    answers = {
        run(
            [sys.executable, "-c", program],
            timeout=60,
            cwd=root,
            env=base_environment(PYTHONHASHSEED=seed, LC_ALL=locale, PYTHONUTF8="0"),
        )
        .check("rendering")
        .text
        for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("4711", "tr_TR.ISO-8859-9"))
    }
    assert len(answers) == 1
