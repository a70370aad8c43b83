"""Why a folder in which no language found anything can't be deployed: the best reason that its files give; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from detectors.folder import Folder
from detectors.found import printable

__all__ = ["foreign_language", "reason"]

# Files or endings of what Shipway knows by name, but can't deploy yet.
_FOREIGN = {
    "go.mod": "Go", "Cargo.toml": "Rust", "composer.json": "PHP", "artisan": "PHP", "index.php": "PHP",
    "Gemfile": "Ruby", "config.ru": "Ruby", "mix.exs": "Elixir", "deno.json": "Deno", "deno.jsonc": "Deno",
    "pubspec.yaml": "Dart", "Package.swift": "Swift", "CMakeLists.txt": "C or C++", "project.clj": "Clojure",
    "stack.yaml": "Haskell", "dune-project": "OCaml", "rebar.config": "Erlang", "shard.yml": "Crystal",
}  # fmt: skip
_FOREIGN_ENDINGS = {
    "csproj": ".NET", "fsproj": ".NET", "sln": ".NET", "go": "Go", "rs": "Rust", "php": "PHP", "rb": "Ruby",
    "ex": "Elixir", "swift": "Swift", "dart": "Dart", "c": "C", "cpp": "C++", "zig": "Zig", "hs": "Haskell",
    "kt": "Kotlin", "scala": "Scala",
}  # fmt: skip
_DOCUMENTS = frozenset(
    "md markdown rst txt adoc org tex pdf doc docx odt png jpg jpeg gif svg webp ico license csv".split()  # noqa: SIM905
)
_MANIFESTS = ("package.json", "requirements.txt", "pyproject.toml", "pom.xml", "Pipfile", "manage.py", "shipway.yaml")
_SETTING = "To say what to run, add a shipway.yaml with `language` and `start`"


def foreign_language(folder: Folder) -> tuple[str, str] | None:
    """Return the name of a language that can't be deployed yet, and the file at the folder's top that says so."""
    top = [name for name in folder.files if "/" not in name]
    for name in top:
        language = _FOREIGN.get(name) or (
            _FOREIGN_ENDINGS.get(_ending(name)) if name.endswith(("proj", "sln")) else None
        )
        if language:
            return language, name
    return None


def reason(folder: Folder, supported: Iterable[str]) -> str:
    """Return why nothing in ``folder`` can be deployed, and what to do; ``supported`` names the languages that can."""
    place = "The repository" if folder.root == "." else f"The folder {folder.root}"
    if not folder.files:
        return f"{place} is empty. Commit the app's source, or set `root` in shipway.yaml to its folder."
    if close := _misspelt(folder):
        return f"{folder.at(close[0])} looks like a misspelt {close[1]}. Rename it, and detection will read it."
    if foreign := foreign_language(folder) or _by_ending(folder):
        named = ", ".join(supported)
        return f"{place} holds {foreign[0]} ({folder.at(foreign[1])}), which can't be deployed yet; {named} can."
    return _by_content(folder, place)


def _by_content(folder: Folder, place: str) -> str:
    if docker := folder.first(("Dockerfile", "Containerfile")):
        return (
            f"{place} has only a {docker}: deploying a repository's own Dockerfile is not supported yet. "
            f"{_SETTING}, and Shipway writes the Dockerfile."
        )
    if compose := folder.first(("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")):
        return f"{place} has only {compose}, which names images and no source to build. {_SETTING}."
    if page := folder.first(("index.html", "public/index.html")):
        return f"{place} is a site of plain files ({folder.at(page)}), which can't be deployed yet without a build."
    if all(_ending(name) in _DOCUMENTS for name in folder.files):
        return f"{place} holds only documents and images: there is nothing to run."
    if all("test" in name.lower() for name in folder.files):
        return f"{place} holds only tests: there is no app to run."
    return (
        f"{place} has no package.json, pyproject.toml, requirements.txt or pom.xml, and no known program. {_SETTING}."
    )


def _ending(name: str) -> str:
    file = name.rpartition("/")[2]
    return (file.rpartition(".")[2] if "." in file[1:] else file).lower()


def _by_ending(folder: Folder) -> tuple[str, str] | None:
    """Return the language that most source files are written in, with one of them."""
    known = [(language, name) for name in folder.files if (language := _FOREIGN_ENDINGS.get(_ending(name)))]
    if not known:
        return None
    commonest = Counter(language for language, _ in known).most_common(1)[0][0]
    return next((language, printable(name)) for language, name in known if language == commonest)


def _misspelt(folder: Folder) -> tuple[str, str] | None:
    from difflib import get_close_matches

    top = [name for name in folder.files if "/" not in name and len(name) < 40]
    for name in top[:200]:
        close = get_close_matches(name.lower(), [item.lower() for item in _MANIFESTS], 1, 0.88)
        if close and name not in _MANIFESTS:
            return name, next(item for item in _MANIFESTS if item.lower() == close[0])
    return None
