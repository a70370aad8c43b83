"""How a Node service starts, and the source file that says where it listens."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.folder import Folder
from detectors.found import Found, warning
from detectors.language import Framework
from detectors.manifests import json_document
from detectors.model import Evidence
from detectors.reading.javascript import Source, read_source
from detectors.reading.package_json import Package
from detectors.reading.procfile import procfile_web
from detectors.starting.listening import named_port
from detectors.starting.node_scripts import Script, read_script

__all__ = ["Start", "find_start", "start_port"]

_STEMS = ("server", "index", "app", "main")
_ENDINGS = (".js", ".mjs", ".cjs", ".ts", ".mts")
ENTRIES = tuple(f"{folder}{stem}{end}" for folder in ("", "src/") for stem in _STEMS for end in _ENDINGS)
# "start" last would be wrong: most repositories have only that one, and it is then for production.
PRODUCTION_SCRIPTS = ("start:prod", "start:production", "serve:prod", "prod")


@dataclass(frozen=True, slots=True)
class Start:
    """``argv`` to run, its ``source`` where it is in the tree, a port it was given, and warnings."""

    argv: Found[tuple[str, ...]]
    source: Source | None
    port: Found[int] | None = None
    warnings: tuple[Evidence, ...] = ()


def find_start(package: Package, manager: str, framework: Framework | None) -> Start | None:
    """Return how the app starts: Procfile, production script, start script, the framework's way, its entry file."""
    port = framework.port if framework and framework.port else 3000
    if procfile := procfile_web(package.folder, port):
        argv = Found(procfile.value.run(), procfile.file, procfile.line, procfile.why)
        return Start(argv, _source(package.folder, procfile.value.argv[-1]), start_port(argv))
    found, warnings = _from_scripts(package, manager)
    if found:
        return found
    made = _from_framework(package, framework) or _from_entry(package)
    return Start(made.argv, made.source, made.port, (*warnings, *made.warnings)) if made else None


def start_port(argv: Found[tuple[str, ...]]) -> Found[int] | None:
    """Return the port that the start command itself names."""
    port = named_port(argv.value)
    return Found(port, argv.file, argv.line, "the start command names it") if port else None


def _from_scripts(package: Package, manager: str) -> tuple[Start | None, tuple[Evidence, ...]]:
    warnings: list[Evidence] = []
    for name in ("start", *PRODUCTION_SCRIPTS):
        script, place = read_script(package, name, manager), package.script(name)
        if script is None or place is None:
            continue
        if script.development:
            why = f"the {name} script is a development server and isn't used"
            warnings.append(warning(place.file, place.line, why))
        if start := _from_script(package, name, script, place, tuple(warnings)):
            return start, ()
    return None, tuple(warnings)


def _from_script(
    package: Package, name: str, script: Script, place: Found[str], warnings: tuple[Evidence, ...]
) -> Start | None:
    argv, folder = script.argv, package.folder
    if not argv and script.entry and _runnable(script.entry):
        argv = ("node", script.entry)
    if not argv or (script.development and argv[0] not in ("node", "env")):
        return None
    source = _source(folder, script.entry) if script.entry else None
    port = Found(script.port, place.file, place.line, f"the {name} script sets it") if script.port else None
    return Start(Found(argv, place.file, place.line, f"the {name} script"), source, port, warnings)


def _from_framework(package: Package, framework: Framework | None) -> Start | None:
    if framework is None or not framework.start:
        return None
    place = package.script("start") or package.place("")
    script = read_script(package, "start", "npm")
    argv = Found(framework.start, place.file, place.line, f"{framework.name} starts so")
    port = Found(script.port, place.file, place.line, "the start script sets it") if script and script.port else None
    return Start(argv, _source(package.folder, framework.start[-1]), port)


def _from_entry(package: Package) -> Start | None:
    folder = package.folder
    main = (package.document.text("main") or "").removeprefix("./")
    entry = main if folder.has(main) and main.endswith(_ENDINGS) else folder.first(ENTRIES)
    if entry is None:
        return None
    source = read_source(folder, entry)
    if source is None or not (listens := source.listens()):
        return None
    target = entry if _runnable(entry) else _compiled(package, entry)
    if target is None:
        return None
    return Start(Found(("node", target), listens.file, listens.line, f"{entry} listens, and is the entry"), source)


def _runnable(entry: str) -> bool:
    return not entry.endswith(("ts", "tsx"))


def _compiled(package: Package, entry: str) -> str | None:
    """Return where the compiler puts the TypeScript file ``entry``, if a build script compiles it."""
    if not package.script("build") or not package.folder.has("tsconfig.json"):
        return None
    options = json_document(package.folder, "tsconfig.json", comments=True)
    out = (options.text("compilerOptions", "outDir") or "").removeprefix("./").strip("/")
    root = (options.text("compilerOptions", "rootDir") or "src").removeprefix("./").strip("/")
    inner = entry.removeprefix(f"{root}/") if root not in ("", ".") else entry
    stem = inner.rpartition(".")[0]
    return f"{out}/{stem}.js" if out and out.isprintable() and ".." not in out else None


def _source(folder: Folder, entry: str) -> Source | None:
    """Return the source of ``entry``, which may name what a build makes of it (``dist/main`` of ``src/main.ts``)."""
    path = entry.removeprefix("./").rstrip("/")
    stem = path.rpartition(".")[0] if path.endswith(_ENDINGS) else path
    inner = stem.partition("/")[2] or stem
    inner = inner.removeprefix("src/")
    names = [path, *(f"{base}{end}" for base in (stem, f"src/{inner}", inner) for end in _ENDINGS)]
    names += [f"{stem}/index.js"] if stem != "." else ["index.js"]
    return read_source(folder, folder.first(names))
