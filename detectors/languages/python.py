"""Python: Django, the ASGI and WSGI frameworks by their app object, workers and plain programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from detectors.folder import Folder
from detectors.found import Found, warning
from detectors.language import Framework, Language, Outcome, Refusal, Request, assemble, find_framework
from detectors.model import Evidence, Service
from detectors.pins import mise_version, pin_file, tool_version
from detectors.reading.gunicorn import configured_port
from detectors.reading.procfile import procfile_web
from detectors.reading.requirements import Project, read_project
from detectors.reading.workspace import outer_file
from detectors.starting.django import read_django
from detectors.starting.listening import named_port, words_of
from detectors.starting.python_app import App, find_apps
from detectors.starting.python_program import find_program, program_port
from detectors.versions import resolve

__all__ = ["LANGUAGE"]

PORT = 8000
# In a container a server must listen on every interface.
UVICORN = ("uvicorn", "{app}", "--host", "0.0.0.0", "--port", "${PORT:-8000}")  # noqa: S104
GUNICORN = ("gunicorn", "--bind", "0.0.0.0:${PORT:-8000}", "{app}")
STREAMLIT = (
    "streamlit", "run", "{app}", "--server.address=0.0.0.0", "--server.port=${PORT:-8501}", "--server.headless=true",
)  # fmt: skip

# The first dependency that is there decides, so what stands on another stands before it: FastAPI on Starlette,
# Quart beside Flask. Workers come after everything that serves.
FRAMEWORKS = (
    Framework("django", ("django",), port=PORT, start=GUNICORN),
    Framework("fastapi", ("fastapi",), port=PORT, start=UVICORN),
    Framework("litestar", ("litestar",), port=PORT, start=UVICORN),
    Framework("quart", ("quart",), port=PORT, start=UVICORN),
    Framework("sanic", ("sanic",), port=PORT, start=UVICORN),
    Framework("flask", ("flask",), port=PORT, start=GUNICORN),
    Framework("starlette", ("starlette",), port=PORT, start=UVICORN),
    Framework("streamlit", ("streamlit",), port=8501, start=STREAMLIT),
    Framework("celery", ("celery",), kind="worker", start=("celery", "-A", "{app}", "worker")),
)
# What makes each framework's app object.
CONSTRUCTORS = {
    "fastapi": ("fastapi.FastAPI", "fastapi.applications.FastAPI"),
    "litestar": ("litestar.Litestar", "litestar.app.Litestar"),
    "quart": ("quart.Quart",),
    "sanic": ("sanic.Sanic",),
    "flask": ("flask.Flask", "flask.app.Flask"),
    "starlette": ("starlette.applications.Starlette",),
    "celery": ("celery.Celery", "celery.app.Celery"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """How the app runs: argv with its place, and what else is known from the same source."""

    start: Found[tuple[str, ...]]
    build: Found[tuple[str, ...]] | None = None
    health: Found[str] | None = None
    kind: Found[str] | None = None
    port: Found[int] | None = None
    warnings: tuple[Evidence, ...] = ()


def inspect(folder: Folder, request: Request) -> Outcome:
    """Return the Python service of ``folder``."""
    project = read_project(folder)
    missed: list[tuple[Framework, Found[str]]] = []
    for framework, found in _matching(folder, project, request):
        made, wanted = _framework_run(folder, project, framework), _wanted_run(folder, request, framework)
        run = _restarted(made, wanted) if made and wanted else wanted or made
        if run:
            return _service(folder, project, request, run, (framework, found))
        missed.append((framework, found))
    run = _wanted_run(folder, request, None) or _plain_run(folder)
    return _service(folder, project, request, run, None) if run else _refusal(folder, project, missed)


def _matching(folder: Folder, project: Project, request: Request) -> Iterator[tuple[Framework, Found[str]]]:
    if request.asked.framework:
        wanted = find_framework(FRAMEWORKS, request.asked.framework.value)
        if wanted:
            yield wanted, request.asked.framework
        return
    for framework in FRAMEWORKS:
        found = project.first(*framework.deps)
        if found:
            yield framework, _renamed(found, framework.name)


def _renamed(found: Found[Any], value: str) -> Found[str]:
    """Return the place of ``found`` with another value."""
    return Found(value, found.file, found.line, found.why)


def _wanted_run(folder: Folder, request: Request, framework: Framework | None) -> Run | None:
    """Return the run that a person wrote: the start command that was asked for, else the Procfile's."""
    if request.asked.start:
        return Run(request.asked.start)
    found = procfile_web(folder, (framework.port if framework else None) or PORT)
    return Run(Found(found.value.run(), found.file, found.line, found.why)) if found else None


def _restarted(made: Run, wanted: Run) -> Run:
    """Return ``wanted``, built as the framework is, with the health route of ``made`` if it starts the same app."""
    same = _modules(made.start.value) & _modules(words_of(wanted.start.value))
    return replace(wanted, build=made.build, health=made.health if same else None)


def _modules(words: tuple[str, ...]) -> set[str]:
    modules = {word.partition(":")[0] for word in words[1:]}
    return {name for name in modules if name.replace(".", "").isidentifier()}


def _framework_run(folder: Folder, project: Project, framework: Framework) -> Run | None:
    special: dict[str, Callable[[Folder, Project, Framework], Run | None]] = {
        "django": _django_run,
        "streamlit": _streamlit_run,
    }
    return special.get(framework.name, _app_run)(folder, project, framework)


def _app_run(folder: Folder, _project: Project, framework: Framework) -> Run | None:
    apps = find_apps(folder, CONSTRUCTORS.get(framework.name, ()))
    if not apps:
        return None
    app = apps[0]
    why = f"{framework.name}'s app is {app.variable}{'()' if app.factory else ''} of {app.module}"
    start = Found(_app_argv(framework.start, app), app.file, app.line, why)
    others = [other for other in apps[1:] if other.file != app.file and not other.factory and not app.factory]
    notes = [warning(other.file, other.line, f"another app is here; {app.file} is taken") for other in others[:3]]
    return Run(start, health=app.health, warnings=tuple(notes))


def _app_argv(template: tuple[str, ...], app: App) -> tuple[str, ...]:
    """Return the server's argv for ``app``; each server says factories and module folders in its own way."""
    server, target = template[0], f"{app.module}:{app.variable}"
    if server == "celery":
        argv = tuple(word.replace("{app}", app.module) for word in template)
        return argv if app.path == "." else ("celery", "--workdir", app.path, *argv[1:])
    options: tuple[str, ...] = ()
    if app.path != ".":
        options = ("--app-dir", app.path) if server == "uvicorn" else ("--chdir", app.path)
    if app.factory and server == "uvicorn":
        options = (*options, "--factory")
    elif app.factory:
        target += "()"
    argv = tuple(word.replace("{app}", target) for word in template)
    return (*argv, *options) if server == "uvicorn" else (argv[0], *options, *argv[1:])


def _django_run(folder: Folder, project: Project, framework: Framework) -> Run | None:
    django = read_django(folder, channels=project.first("channels", "daphne") is not None)
    if django is None:
        return None
    app = App(*_split(django.app.value), django.path, False, django.app.file, django.app.line, None)
    argv = _app_argv(UVICORN if django.asynchronous else framework.start, app)
    build = None
    if django.static_root:
        collect = ("python", django.manage, "collectstatic", "--noinput")
        build = Found(collect, django.static_root.file, django.static_root.line, django.static_root.why)
    return Run(Found(argv, django.app.file, django.app.line, django.app.why), build, django.health)


def _split(target: str) -> tuple[str, str]:
    module, _, variable = target.partition(":")
    return module, variable


def _streamlit_run(folder: Folder, _project: Project, framework: Framework) -> Run | None:
    program = find_program(folder, importing="streamlit")
    if program is None:
        return None
    argv = tuple(word.replace("{app}", program.name) for word in framework.start)
    health = Found("/_stcore/health", program.file, program.line, "Streamlit's own health route")
    return Run(Found(argv, program.file, program.line, f"{program.name} imports streamlit"), health=health)


def _plain_run(folder: Folder) -> Run | None:
    program = find_program(folder)
    if program is None:
        return None
    start = Found(("python", program.name), program.file, program.line, f"{program.name} runs as a program")
    if program.serves is None:
        return Run(
            start, kind=Found("worker", program.file, program.line, "the program serves nothing that we know of")
        )
    return Run(start, kind=program.serves, port=program.port)


def _service(
    folder: Folder, project: Project, request: Request, run: Run, chosen: tuple[Framework, Found[str]] | None
) -> Service:
    version, notes = _version(folder, project, request, run)
    framework = chosen[0] if chosen else None
    kind = run.kind or Found(framework.kind if framework else "server", run.start.file, run.start.line, run.start.why)
    port = run.port or _port(folder, run.start, framework)
    facts: dict[str, Found[Any] | None] = {
        "kind": kind,
        "language_version": version,
        "framework": chosen[1] if chosen else None,
        "package_manager": project.manager,
        "build": run.build,
        "start": run.start,
        "port": port,
        "health_path": run.health,
    }
    known = {name: found for name, found in facts.items() if found}
    warnings = (*notes, *run.warnings, *_server_warning(project, run.start), *_lock_warning(folder, project))
    return assemble(folder, request, known, language="python", manifests=project.manifests, warnings=warnings)


def _port(folder: Folder, start: Found[tuple[str, ...]], framework: Framework | None) -> Found[int]:
    """Return where ``start`` listens: the port that it names, its configuration's, its program's, the usual one."""
    if named := named_port(start.value):
        return Found(named, start.file, start.line, "the start command names it")
    usual = (framework.port if framework else None) or PORT
    return (
        configured_port(folder, start.value)
        or program_port(folder, words_of(start.value))
        or Found(usual, start.file, start.line, "the usual port; PORT changes it")
    )


def _server_warning(project: Project, start: Found[tuple[str, ...]]) -> tuple[Evidence, ...]:
    server = start.value[0]
    if server not in ("uvicorn", "gunicorn") or project.first(server):
        return ()
    why = f"{server} is not among the dependencies; Shipway adds it to the image. Add it to have its version pinned"
    return (warning(start.file, start.line, why),)


def _lock_warning(folder: Folder, project: Project) -> tuple[Evidence, ...]:
    """Return the warning of a member of a uv workspace, whose lock file lies around it."""
    outer = outer_file(folder, "uv.lock")
    if outer is None or project.manager is None or project.manager.value != "uv" or folder.has("uv.lock"):
        return ()
    why = (
        f"it is the lock file of the whole workspace; {folder.root} is built by itself, without it, so that each build "
        "may install other versions: commit a uv.lock beside its pyproject.toml"
    )
    return (warning(outer, 1, why),)


def _version(folder: Folder, project: Project, request: Request, run: Run) -> tuple[Found[str], tuple[Evidence, ...]]:
    asked = [request.asked.version] if request.asked.version else [
        pin_file(folder, ".python-version"), tool_version(folder, "python"), mise_version(folder, "python"),
        pin_file(folder, "runtime.txt"), *_ranges(project),
    ]  # fmt: skip
    place = Found("", folder.at(project.manifests[0]) if project.manifests else run.start.file, 1, "")
    texts = [found for found in asked if found]
    return resolve("python", texts, dialect="pep440", otherwise=place, offline=request.offline)


def _ranges(project: Project) -> Iterator[Found[str]]:
    documents = (
        (project.pyproject, ("project", "requires-python")),
        (project.pyproject, ("tool", "poetry", "dependencies", "python")),
        (project.pipfile, ("requires", "python_full_version")),
        (project.pipfile, ("requires", "python_version")),
    )
    for document, path in documents:
        if document and (text := document.text(*path)):
            yield Found(text, document.file, document.line(*path), path[-1])


def _refusal(folder: Folder, project: Project, missed: list[tuple[Framework, Found[str]]]) -> Refusal:
    if missed:
        framework, found = missed[0]
        made = CONSTRUCTORS.get(framework.name, ("",))[0].rpartition(".")[2]
        lacking = "manage.py with a WSGI or ASGI module" if framework.name == "django" else f"`{made}(...)` in a module"
        return Refusal(
            f"{found.file}:{found.line} depends on {framework.name}, but there is no {lacking}. "
            "Set `start` in shipway.yaml to the command that serves the app."
        )
    what = "a library or a tool" if project.pyproject or folder.has("setup.py") else "Python code"
    return Refusal(
        f"{folder.root if folder.root != '.' else 'The repository'} holds {what} with nothing to run: no web framework "
        "among its dependencies, no main.py or app.py that runs. Set `start` in shipway.yaml to deploy it."
    )


LANGUAGE = Language(FRAMEWORKS, inspect)
