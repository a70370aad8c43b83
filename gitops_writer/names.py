"""What may stand in a path, a manifest or a commit message: every name is checked before it gets there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gitops_writer.errors import GitopsError
from gitops_writer.records import Draft, ImageRef, Release, Source

__all__ = ["check_draft", "check_project", "check_run_id", "check_version", "version_number"]

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
WORKSPACE = re.compile(f"ws-{LABEL}")
PROJECT = re.compile(LABEL)
HOST = re.compile(rf"({LABEL}\.)*{LABEL}")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VERSION = re.compile(r"v1\.0\.(0|[1-9][0-9]{0,8})")
CHART_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})", re.ASCII)
DIGEST = re.compile("sha256:[0-9a-f]{64}")
REPOSITORY = re.compile("[a-z0-9][a-zA-Z0-9.:_/-]{0,253}[a-z0-9]")
ENV_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
HEALTH_PATH = re.compile("/[!-~]{0,1023}")
COMMIT = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")
SECRET_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
CREDENTIALS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/@]*:[^/@]*@")
# The kernel refuses to start a program with one variable past 128 KiB; the sum keeps a Deployment under etcd's limit.
ENV_VALUE_BYTES = 128 * 1024
ENV_TOTAL_BYTES = 512 * 1024


def check_project(workspace: str, project: str) -> None:
    """Raise GitopsError unless both names may stand in a path and a manifest."""
    _refuse("the project's name", _project_faults(workspace, project))


def check_run_id(run_id: str) -> None:
    """Raise GitopsError unless ``run_id`` may stand in a commit's trailer."""
    _refuse("the run's id", _pattern("run_id", run_id, RUN_ID, "1 to 64 letters, digits, '.', '_' or '-'"))


def check_version(version: str) -> None:
    """Raise GitopsError unless ``version`` is a release, ``v1.0.N``."""
    _refuse("the release", _pattern("version", version, VERSION, "v1.0.N, such as v1.0.3"))


def version_number(version: str) -> int:
    """Return N of ``v1.0.N``, or -1 for any other text."""
    found = VERSION.fullmatch(version)
    return int(found.group(1)) if found else -1


def check_draft(draft: Draft | Release) -> None:
    """Raise GitopsError naming every field of ``draft`` that may not reach a file, a manifest or a cluster."""
    _refuse("the release draft", _draft_faults(draft))


def _refuse(what: str, faults: Iterator[str]) -> None:
    found = list(faults)
    if found:
        raise GitopsError(
            "gitops.bad_input", f"{what} can't be used", why="; ".join(found[:8]), fix="change what is named there"
        )


def _pattern(field: str, value: str, pattern: re.Pattern[str], wanted: str, limit: int = 2048) -> Iterator[str]:
    if len(value) > limit or not pattern.fullmatch(value):
        yield f"{field} is {ascii(value)[:100]}, not {wanted}"


def _project_faults(workspace: str, project: str) -> Iterator[str]:
    label = "lower-case letters, digits and '-'"
    yield from _pattern("workspace", workspace, WORKSPACE, f"'ws-' and {label}, at most 63", 63)
    yield from _pattern("project", project, PROJECT, f"{label}, beginning and ending with no '-', at most 53", 53)


def _draft_faults(draft: Draft | Release) -> Iterator[str]:
    yield from _project_faults(draft.workspace, draft.project)
    yield from _pattern("chart.version", draft.chart.version, CHART_VERSION, "three numbers such as 1.0.0")
    for service, image in draft.images.items():
        yield from _image_faults(service, image)
    if not draft.images:
        yield "images is empty, where at least one service's image is needed"
    yield from _env_faults(draft.env, draft.port)
    if draft.sealed_secret is not None:
        yield from _pattern("sealed_secret", draft.sealed_secret, SECRET_NAME, "the name of a Secret")
    yield from _host_faults(draft.host)
    if not 1 <= draft.port <= 65535:
        yield f"port is {draft.port}, not 1 to 65535"
    yield from _pattern("health_path", draft.health_path, HEALTH_PATH, "'/' and printable ASCII without spaces")
    yield from _source_faults(draft.source)


def _image_faults(service: str, image: ImageRef) -> Iterator[str]:
    yield from _pattern("a service", service, PROJECT, "lower-case letters, digits and '-', at most 53", 53)
    yield from _pattern(f"images.{service[:53]}.digest", image.digest, DIGEST, "sha256: and 64 hex digits")
    yield from _pattern(
        f"images.{service[:53]}.repository", image.repository, REPOSITORY, "registry/path without tag or digest"
    )


def _host_faults(host: str) -> Iterator[str]:
    labels = host.split(".")
    if len(host) > 253 or not HOST.fullmatch(host) or max(map(len, labels)) > 63 or labels[-1].isdigit():
        yield f"host is {ascii(host)[:100]}, not a DNS name in lower case"


def _env_faults(env: Mapping[str, str], port: int) -> Iterator[str]:
    for name, value in env.items():
        yield from _pattern("an env name", name, ENV_NAME, "letters, digits and '_', beginning with no digit", 256)
        yield from _env_value_faults(name[:64], value)
    if env.get("PORT", str(port)) != str(port):
        yield "env.PORT differs from port, which sets it"
    if sum(len(name) + len(value) for name, value in env.items()) > ENV_TOTAL_BYTES:
        yield f"env is larger than {ENV_TOTAL_BYTES} bytes in all"


def _env_value_faults(name: str, value: str) -> Iterator[str]:
    if "\0" in value:
        yield f"env.{name} holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in value):
        yield f"env.{name} isn't valid Unicode"
    elif len(value.encode()) > ENV_VALUE_BYTES:
        yield f"env.{name} is larger than {ENV_VALUE_BYTES} bytes"


def _source_faults(source: Source) -> Iterator[str]:
    yield from _pattern("source.commit", source.commit, COMMIT, "a full commit id")
    if CREDENTIALS.match(source.repository):
        yield "source.repository holds credentials"
    for field, value in (("repository", source.repository), ("branch", source.branch)):
        if len(value) > 2048 or not value.isprintable():
            yield f"source.{field} is longer than 2048 characters or holds unprintable ones"
