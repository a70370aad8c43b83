"""Source tree to Detection: every language looks at the folder, and the strongest candidate is its service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from detectors.errors import DetectionError
from detectors.folder import Folder
from detectors.found import warning
from detectors.language import Outcome, Refusal, Request, serving
from detectors.languages import LANGUAGES, Entry
from detectors.manifests import text_of
from detectors.model import SCHEMA, Detection, Evidence, ProjectType, Service
from detectors.overrides import CALLER, FILE, Asked, Overrides, overrides_of, set_at
from detectors.passed_over import passed_over
from detectors.reading.document import Document
from detectors.refusals import foreign_language, reason
from detectors.tree import Tree

__all__ = ["detect"]

OVERRIDES_BYTES = 64 * 1024
DEEPEST_APP = 3
MOST_APPS = 24
# Folders of apps that aren't what the repository is for.
_ASIDE = frozenset({
    "test", "tests", "__tests__", "testing", "e2e", "fixtures", "example", "examples", "sample", "samples", "demo",
    "demos", "docs", "doc", "benchmark", "benchmarks", "scripts", "tools", "templates", "third_party", "vendor",
})  # fmt: skip


def detect(tree: Tree, *, overrides: Mapping[str, object] | None = None, offline: bool = False) -> Detection:
    """Return what ``tree`` is: its services with evidence, or why it can't be deployed.

    ``overrides`` has the keys of ``shipway.yaml`` and beats that file, which is read from the tree where it is there.
    With ``offline`` only versions that have an offline base image are chosen.

    Raises DetectionError where a manifest is broken (it names file, line and column), a bound is passed, or an
    override is wrong.
    """
    whole = Folder(tree)
    wanted = _overrides(whole, overrides or {})
    if not wanted.services:
        return _detection([_part(whole, Request(wanted.asked, offline))])
    named: list[Service | Refusal] = []
    for name, asked in sorted(wanted.services.items()):
        outcome = _part(whole, Request(asked, offline))
        if isinstance(outcome, Service):
            named.append(replace(outcome, name=name))
        else:
            named.append(Refusal(f"Service {name}: {outcome.reason}"))
    return _detection(named)


def _overrides(whole: Folder, given: Mapping[str, object]) -> Overrides:
    """Return what is asked for: ``given`` over the shipway.yaml of its root, or else of the repository."""
    caller = overrides_of(Document(CALLER, dict(given)))
    root = caller.asked.root
    own = f"{root.value}/{FILE}" if root and root.value != "." else FILE
    name = own if whole.has(own) else FILE
    committed = _read_overrides(whole, name) if whole.has(name) else Overrides(Asked(), {})
    if root and name == FILE:
        # The caller wants one folder: what the file says of the service there holds, and of no other.
        there = [asked for asked in committed.services.values() if asked.root and asked.root.value == root.value]
        committed = Overrides(there[0] if there else committed.asked, {})
    elif root:
        committed = Overrides(replace(committed.asked, root=None), {})
    return Overrides(caller.asked.over(committed.asked), caller.services or committed.services)


def _read_overrides(whole: Folder, name: str) -> Overrides:
    from detectors.reading.yaml_text import yaml_documents

    documents = yaml_documents(name, text_of(whole, name, OVERRIDES_BYTES))
    return overrides_of(documents[0]) if documents else Overrides(Asked(), {})


def _part(whole: Folder, request: Request) -> Service | Refusal:
    """Return the service that is asked for, with a warning for what is there and isn't used."""
    outcome = _chosen(whole, request)
    if isinstance(outcome, Refusal):
        return outcome
    service = serving(outcome, request.asked)
    folder = whole if service.root == "." else Folder(whole.tree, service.root, within=whole)
    return replace(service, evidence=(*service.evidence, *passed_over(folder)))


def _chosen(whole: Folder, request: Request) -> Service | Refusal:
    """Return the service at the root that is asked for; without one, of the repository or its only app."""
    languages = _languages(request.asked)
    root = request.asked.root
    if root is None:
        outcome = _inspect(whole, request, languages)
        if isinstance(outcome, Service) or (outcome and outcome.final):
            return outcome
        return _nested(whole, request, languages, outcome)
    folder = whole if root.value == "." else Folder(whole.tree, root.value, within=whole)
    if not folder.files and root.value != ".":
        raise DetectionError(
            "overrides.no_such_root",
            f"{set_at(root, 'root')}: there is no folder {root.value} in the repository",
            why="`root` must be a folder with files, from the repository's root",
            fix="correct `root`",
        )
    outcome = _inspect(folder, request, languages)
    if isinstance(outcome, Service):
        return replace(outcome, evidence=(root.evidence("root"), *outcome.evidence))
    return outcome or Refusal(_reason(folder))


def _languages(asked: Asked) -> tuple[Entry, ...]:
    """Return the languages that may be meant. Raises DetectionError for a name that none of them knows."""
    languages: tuple[Entry, ...] = LANGUAGES
    for field, found in (("language", asked.language), ("framework", asked.framework)):
        if found is None:
            continue
        names = {language.module: _names(language, field) for language in LANGUAGES}
        languages = tuple(language for language in languages if found.value in names[language.module])
        if not languages:
            known = ", ".join(sorted({name for listed in names.values() for name in listed}))
            raise DetectionError(
                f"overrides.unknown_{field}",
                f"{set_at(found, field)}: {found.value} is no {field} that can be deployed",
                why=f"known are {known}",
                fix=f"correct `{field}`, or leave it out to have it detected",
                kind="not_deployable",
            )
    return languages


def _names(language: Entry, field: str) -> set[str]:
    return set(language.names) if field == "language" else {item.name for item in language.load().frameworks}


def _inspect(folder: Folder, request: Request, languages: tuple[Entry, ...]) -> Outcome:
    outcomes = [language.load().inspect(folder, request) for language in languages if language.marks(folder)]
    services = sorted((item for item in outcomes if isinstance(item, Service)), key=_strength, reverse=True)
    foreign = foreign_language(folder)
    if foreign and not request.asked.framework and all(item.kind == "static" for item in services):
        # What is here beside a backend that we can't deploy is its assets and tools.
        return Refusal(reason(folder, _supported()))
    if services:
        return _with_alternatives(services)
    return next((item for item in outcomes if isinstance(item, Refusal)), None)


def _strength(service: Service) -> int:
    """Return how much a candidate says: a framework's server beats a program, which beats a bundled site."""
    if service.kind == "server":
        return 4 if service.framework else 3
    return 2 if service.kind == "static" else 1


def _with_alternatives(services: list[Service]) -> Service:
    """Return the first of ``services``, warned of other servers that were passed over."""
    best, *others = services
    notes = [
        warning(
            *_place(other), f"{_title(other)} is here too; {_title(best)} is taken. Set `framework` in {FILE} if not"
        )
        for other in others
        if other.kind == "server"
    ]
    return replace(best, evidence=(*best.evidence, *notes))


def _place(service: Service) -> tuple[str, int]:
    facts = {item.fact: item for item in reversed(service.evidence)}
    found = facts.get("framework") or facts.get("start") or service.evidence[0]
    return found.file, found.line


def _title(service: Service) -> str:
    return f"{service.language} ({service.framework})" if service.framework else service.language


def _nested(
    whole: Folder, request: Request, languages: tuple[Entry, ...], outcome: Refusal | None
) -> Service | Refusal:
    """Return the only app in a folder of the repository, where its root has none."""
    apps: list[Service] = []
    errors: list[DetectionError] = []
    refused: list[Refusal] = []
    for root, marker in _roots(whole, languages)[:MOST_APPS]:
        if any(root.startswith(f"{app.root}/") for app in apps):
            continue
        try:
            found = _inspect(Folder(whole.tree, root, within=whole), request, languages)
        except DetectionError as error:
            errors.append(error)
            continue
        if isinstance(found, Service) and found.kind != "worker":
            where = Evidence(f"{root}/{marker}", 1, "root", "the only app of the repository is in this folder")
            apps.append(replace(found, evidence=(where, *found.evidence)))
        elif isinstance(found, Refusal) and found.final:
            refused.append(found)
    if len(apps) == 1:
        return apps[0]
    if apps:
        named = ", ".join(f"{app.root} ({_title(app)})" for app in apps)
        return Refusal(
            f"The repository holds several apps: {named}. Set `root` in shipway.yaml to the one to deploy, "
            "or use --root, or list them under `services`."
        )
    if errors and outcome is None:
        raise errors[0]
    # What is wrong with the only app says more than that the folder around it is none.
    return refused[0] if len(refused) == 1 else outcome or Refusal(_reason(whole))


def _roots(whole: Folder, languages: tuple[Entry, ...]) -> list[tuple[str, str]]:
    """Return the folders that hold a manifest, the outer ones first, each with that manifest."""
    markers = {name for language in languages for name in (*language.markers, *language.anywhere)}
    found: dict[str, str] = {}
    for path in whole.files:
        root, _, name = path.rpartition("/")
        if root and name in markers and root.count("/") < DEEPEST_APP and _ASIDE.isdisjoint(root.split("/")):
            found.setdefault(root, name)
    return sorted(found.items(), key=lambda item: (item[0].count("/"), item[0]))


def _reason(folder: Folder) -> str:
    return reason(folder, _supported())


def _supported() -> list[str]:
    return [name for language in LANGUAGES for name in language.names]


def _detection(outcomes: list[Service | Refusal]) -> Detection:
    refused = [item for item in outcomes if isinstance(item, Refusal)]
    if refused:
        return Detection(SCHEMA, False, refused[0].reason, None, ())
    services = tuple(item for item in outcomes if isinstance(item, Service))
    several_java = len(services) > 1 and all(item.framework == "spring-boot" for item in services)
    project_type: ProjectType = "spring-microservice" if several_java else "monolithic"
    return Detection(SCHEMA, True, None, project_type, services)
