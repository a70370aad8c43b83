"""Image -> ScanReport: Trivy, called directly in an empty folder with a closed environment; verdict from its report."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clients.process import Completed, base_environment, find, run
from pipeline.artifacts import Finding, Image, ScanReport
from pipeline.errors import PipelineError
from pipeline.policy import Policy
from pipeline.runs.folder import write_atomically

__all__ = ["database_updated_at", "provide_database", "read_report", "scan", "trivy_argv", "verdict"]

SCAN_SECONDS = 600
DATABASE_SECONDS = 300
FRESH_SECONDS = 12 * 3600
RETRY_SECONDS = 3600


def trivy_argv(
    image: str, *, cache: Path, output: Path, vulnerabilities: bool, program: str = "trivy"
) -> tuple[str, ...]:
    """Return the Trivy command that reports on ``image`` as JSON; its database is never fetched within a scan."""
    return (
        program,
        "image",
        "--image-src=docker",
        f"--scanners={'vuln,secret' if vulnerabilities else 'secret'}",
        "--format=json",
        "--list-all-pkgs",
        f"--cache-dir={cache}",
        f"--output={output}",
        "--skip-db-update",
        "--skip-java-db-update",
        "--skip-version-check",
        "--disable-telemetry",
        "--offline-scan",
        "--no-progress",
        "--ignorefile=",
        "--secret-config=",
        f"--timeout={SCAN_SECONDS}s",
        "--",
        image,
    )


def scan(image: Image, policy: Policy, *, policy_name: str, cache: Path, docker_host: str) -> ScanReport:
    """Scan ``image`` (in the engine at ``docker_host``) and return the report with its verdict under ``policy``.

    ``cache`` is Trivy's folder, shared by scans. Raises PipelineError for anything but a parsed report.
    """
    cache.mkdir(parents=True, exist_ok=True)
    updated = database_updated_at(cache)
    with tempfile.TemporaryDirectory(prefix="shipway-scan-") as empty:
        output = Path(empty, "report") / "report.json"
        output.parent.mkdir()
        work = Path(empty, "empty")
        work.mkdir()
        argv = trivy_argv(
            image.digest, cache=cache, output=output, vulnerabilities=updated is not None, program=_trivy()
        )
        done = run(argv, cwd=work, env=base_environment(DOCKER_HOST=docker_host, HOME=empty), timeout=SCAN_SECONDS)
        report = _parsed(done, output)
    return verdict(report, image.digest, policy, policy_name=policy_name, db_updated_at=updated)


def _trivy() -> str:
    # The environment's own bin folder first: its Trivy is the one that the lock file pins.
    return find("trivy", path=str(Path(sys.executable).parent)) or find("trivy") or "trivy"


def provide_database(cache: Path, local: Path | None, *, on_line: Callable[[str], None]) -> None:
    """Bring the vulnerability database in ``cache`` up to date: from the folder ``local``, or by Trivy's download.

    Where it can't be had, ``cache`` keeps what it has; what that means is the policy's to say. A failed download isn't
    tried again for an hour.
    """
    if local is not None:
        for name in ("trivy.db", "metadata.json"):
            write_atomically(cache / "db" / name, (local / name).read_bytes())
        return
    failed = cache / "unreachable"
    if _is_recent(cache / "db" / "metadata.json", FRESH_SECONDS) or _is_recent(failed, RETRY_SECONDS):
        return
    cache.mkdir(parents=True, exist_ok=True)
    on_line("fetching the vulnerability database")
    argv = (_trivy(), "image", "--download-db-only", f"--cache-dir={cache}", "--no-progress", "--skip-version-check")
    with tempfile.TemporaryDirectory(prefix="shipway-scan-") as empty:
        done = run(argv, cwd=Path(empty), env=base_environment(HOME=empty), timeout=DATABASE_SECONDS)
    if done.returncode != 0:
        on_line("the vulnerability database can't be had: " + (done.error_text.strip().splitlines() or [""])[-1])
        failed.touch()


def _is_recent(file: Path, seconds: int) -> bool:
    return file.is_file() and time.time() - file.stat().st_mtime < seconds


def database_updated_at(cache: Path) -> str | None:
    """Return when the database in ``cache`` was made (RFC 3339), or None where there is none."""
    try:
        metadata = json.loads((cache / "db" / "metadata.json").read_text(encoding="utf-8"))
        return str(metadata["UpdatedAt"]) if (cache / "db" / "trivy.db").is_file() else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _parsed(done: Completed, output: Path) -> dict[str, Any]:
    try:
        report = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_report(done, str(error)) from error
    if done.returncode != 0 or not isinstance(report, dict) or not isinstance(report.get("Metadata"), dict):
        raise _no_report(done, f"trivy ended with {done.returncode}")
    return report


def _no_report(done: Completed, why: str) -> PipelineError:
    said = [line for line in done.error_text.splitlines() if "FATAL" in line or "ERROR" in line][-3:]
    return PipelineError(
        "scan.no_report",
        "the scan gave no report, so there is no verdict",
        why="\n".join([why, *said]),
        fix="run the same command again; if it stays, look into the scanner's cache and its database",
        kind="outside",
        retryable=True,
    )


def read_report(report: dict[str, Any]) -> tuple[str, str, int, tuple[Finding, ...]]:
    """Return OS family, OS version, number of packages and the findings of a Trivy JSON ``report``, sorted."""
    system = report["Metadata"].get("OS") or {}
    results: Sequence[dict[str, Any]] = report.get("Results") or ()
    packages = sum(len(result.get("Packages") or ()) for result in results)
    found: list[Finding] = []
    for result in results:
        where = str(result.get("Target", ""))
        found += [_vulnerability(item, where) for item in result.get("Vulnerabilities") or ()]
        found += [_secret(item, where) for item in result.get("Secrets") or ()]
    ordered = sorted(set(found), key=lambda item: (item.kind, item.id, item.package, item.where))
    return str(system.get("Family", "")), str(system.get("Name", "")), packages, tuple(ordered)


def _vulnerability(item: dict[str, Any], where: str) -> Finding:
    return Finding(
        "vulnerability",
        str(item.get("VulnerabilityID", "")),
        str(item.get("Severity", "UNKNOWN")),
        str(item.get("PkgName", "")),
        str(item.get("InstalledVersion", "")),
        str(item.get("FixedVersion", "")),
        where,
    )


def _secret(item: dict[str, Any], where: str) -> Finding:
    line = f"{where}:{item.get('StartLine', 0)}"
    return Finding("secret", str(item.get("RuleID", "")), str(item.get("Severity", "")), "", "", "", line)


def verdict(
    report: dict[str, Any], digest: str, policy: Policy, *, policy_name: str, db_updated_at: str | None
) -> ScanReport:
    """Return the verdict of ``policy`` on a parsed Trivy ``report`` of the image ``digest``. Pure."""
    family, version, packages, findings = read_report(report)
    reasons = [_refusal(item) for item in findings if _refuses(item, policy)]
    if not family:
        reasons.append("the image has no operating system that the scanner knows, so its packages can't be judged")
    if db_updated_at is None and policy.unscanned == "refuse":
        reasons.append("there is no vulnerability database, and this policy allows no unscanned image")
    outcome = "refused" if reasons else ("passed" if db_updated_at else "unscanned")
    return ScanReport(
        digest,
        outcome,  # type: ignore[arg-type] # one of the three literals above
        tuple(reasons),
        policy_name,
        db_updated_at,
        family,
        version,
        packages,
        findings,
    )


def _refuses(item: Finding, policy: Policy) -> bool:
    if item.kind == "secret":
        return policy.secrets == "refuse"
    return item.severity in policy.severities and (bool(item.fixed) or not policy.ignore_unfixed)


def _refusal(item: Finding) -> str:
    if item.kind == "secret":
        return f"a secret ({item.id}) lies in the image at {item.where}"
    fixed = f"fixed in {item.fixed}" if item.fixed else "no fix yet"
    return f"{item.severity} {item.id} in {item.package} {item.installed} ({fixed})"
