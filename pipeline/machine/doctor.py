"""The machine: what it lacks for Shipway, and getting that by the ordinary package client."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.machine import debian
from pipeline.machine.home import claim, lock
from pipeline.machine.tools import TOOLS, Source, Tool

__all__ = ["Finding", "MachineError", "doctor", "install"]

BUILDX_SUITE = "trixie"
OnLine = Callable[[str], None]

# Taken out of their packages, since installing them would start a service (the registry) or since the machine's own
# release doesn't have them (buildx): package, file in it, place under `tools`, release (None: the machine's own).
EXTRACTED: dict[Source, tuple[str, str, str, str | None]] = {
    "docker-registry": ("docker-registry", "usr/bin/docker-registry", "bin/docker-registry", None),
    "buildx": (
        "docker-buildx",
        "usr/libexec/docker/cli-plugins/docker-buildx",
        "docker/cli-plugins/docker-buildx",
        BUILDX_SUITE,
    ),
}


class MachineError(PipelineError):
    """Something that Shipway needs is missing, and it can't be got without a person."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``shipway doctor``: ``where`` is the path or address of what was found, else empty."""

    name: str
    found: bool
    where: str
    needed_for: str
    how_to_get: str


def doctor(home: Path) -> tuple[Finding, ...]:
    """Return what is there and what is missing, in a fixed order; looks only, runs nothing."""
    return tuple(_finding(tool, tool.find(home)) for tool in TOOLS)


def install(missing: Sequence[Finding], home: Path, on_line: OnLine | None = None) -> tuple[Finding, ...]:
    """Get what is missing (found ones are passed over), and return what ``doctor`` says then.

    Needs root on Debian; else raises MachineError, which says exactly what to install by hand.
    """
    names = {finding.name for finding in missing if not finding.found}
    wanted = [tool for tool in TOOLS if tool.name in names and not tool.find(home)]
    if wanted:
        _refuse_by_hand(wanted)
        claim(home)
        with lock(home, "install"):
            _get(wanted, home, on_line)
    after = doctor(home)
    left = [finding for finding in after if finding.name in names and not finding.found]
    if left:
        raise _missing(left, "the package client ended well, but they are still not found")
    return after


def _finding(tool: Tool, where: str | None) -> Finding:
    return Finding(tool.name, where is not None, where or "", tool.needed_for, _how_to_get(tool))


def _how_to_get(tool: Tool) -> str:
    if tool.source == "distribution":
        return "pip install --force-reinstall shipway (it comes with it)"
    package = tool.packages[-1]
    if tool.source == "buildx":
        return f"Debian {BUILDX_SUITE} and later: apt-get install {package}; else Docker's buildx plugin"
    return f"apt-get install --no-install-recommends {package}"


def _refuse_by_hand(wanted: Sequence[Tool]) -> None:
    findings = [_finding(tool, None) for tool in wanted]
    if not debian.is_debian():
        raise _missing(findings, "they are installed for you on Debian only")
    if os.geteuid() != 0:
        raise _missing(findings, "installing them takes root")
    ours = [_finding(tool, None) for tool in wanted if tool.source == "distribution"]
    if ours:
        raise _missing(ours, "they belong to Shipway's own Python environment")


def _missing(findings: Sequence[Finding], why: str) -> MachineError:
    names = ", ".join(finding.name for finding in findings)
    fix = "\n".join(dict.fromkeys(finding.how_to_get for finding in findings))
    return MachineError("machine.missing", f"missing on this machine: {names}", why=why, fix=fix, kind="outside")


def _get(wanted: Sequence[Tool], home: Path, on_line: OnLine | None) -> None:
    debian.update(on_line)
    packages = [_package(tool) for tool in wanted if tool.source == "debian"]
    if packages:
        debian.install(tuple(dict.fromkeys(packages)), on_line)
    for tool in wanted:
        if tool.source in EXTRACTED and not tool.find(home):
            package, member, place, suite = EXTRACTED[tool.source]
            debian.extract(package, member, home / "tools" / place, suite=suite)


def _package(tool: Tool) -> str:
    return next((name for name in tool.packages if debian.known(name)), tool.packages[-1])
