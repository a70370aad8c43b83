"""Image -> ScanReport: Trivy, called directly in an empty folder with a closed environment; verdict from its report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clients.process import Completed, base_environment, run
from pipeline.artifacts import Finding, Image, ScanReport
from pipeline.errors import PipelineError
from pipeline.machine.home import lock
from pipeline.policy import Policy
from pipeline.vulnerability_database import database_updated_at, has_java_database, trivy

__all__ = ["read_report", "refusal", "scan", "trivy_argv", "unscannable", "verdict"]

SCAN_SECONDS = 600
JAVA_ARCHIVES = ("jar", "war", "ear", "par")


def trivy_argv(
    image: str, *, cache: Path, output: Path, vulnerabilities: bool, archives: bool = True, program: str = "trivy"
) -> tuple[str, ...]:
    """Return the Trivy command that reports on ``image`` as JSON; its databases are never fetched within a scan."""
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
        *(() if archives else tuple(f"--skip-files=**/*.{ending}" for ending in JAVA_ARCHIVES)),
        "--",
        image,
    )


def scan(
    image: Image, policy: Policy, *, policy_name: str, cache: Path, docker_host: str, may_download: bool
) -> ScanReport:
    """Scan ``image`` (in the engine at ``docker_host``) and return the report with its verdict under ``policy``.

    ``cache`` is Trivy's folder, shared by scans. Java archives are known by a database of their own, which is fetched
    (where ``may_download``) once an image has some; where it can't be had, the image is unscanned. Raises
    PipelineError for anything but a parsed report.
    """
    cache.mkdir(parents=True, exist_ok=True)
    updated = database_updated_at(cache)
    complete = updated is not None
    try:
        report = _report(image, cache, docker_host, vulnerabilities=complete, archives=True)
    except PipelineError:
        if not complete or has_java_database(cache):
            raise
        report = _report(image, cache, docker_host, vulnerabilities=True, archives=False)
        complete = False
    return verdict(report, image.digest, policy, policy_name=policy_name, db_updated_at=updated, complete=complete)


def unscannable(policy: Policy, cache: Path) -> PipelineError | None:
    """Return why ``policy`` would refuse whatever is built, since no database is there; None where one is."""
    if policy.unscanned == "allow" or database_updated_at(cache) is not None:
        return None
    return PipelineError(
        "scan.no_database",
        "nothing can be released: there is no vulnerability database",
        why="it can't be downloaded from here, and this scan policy allows no unscanned image",
        fix="set trivy_db to a local copy, or allow it on this machine alone: --policy embedded marks it as unscanned",
        kind="policy",
    )


def refusal(service: str, report: ScanReport) -> PipelineError | None:
    """Return the refusal that ``report`` means for ``service``, or None where it may be released."""
    if report.verdict != "refused":
        return None
    why = "\n".join(report.reasons[:20])
    fix = "update what is named there and deploy again, or change the scan policy"
    return PipelineError("scan.refused", f"the image of {service} is refused", why=why, fix=fix, kind="policy")


def _report(image: Image, cache: Path, docker_host: str, *, vulnerabilities: bool, archives: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="shipway-scan-") as scratch:
        output, empty = Path(scratch) / "report.json", Path(scratch) / "empty"
        empty.mkdir()
        argv = trivy_argv(
            image.digest,
            cache=cache,
            output=output,
            vulnerabilities=vulnerabilities,
            archives=archives,
            program=trivy(),
        )
        env = base_environment(DOCKER_HOST=docker_host, HOME=scratch)
        # The scanner keeps others from its cache, and gives up on a kept one after a second.
        with lock(cache.parent, "scan"):
            done = run(argv, cwd=empty, env=env, timeout=SCAN_SECONDS)
        return _parsed(done, output)


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
    report: dict[str, Any],
    digest: str,
    policy: Policy,
    *,
    policy_name: str,
    db_updated_at: str | None,
    complete: bool,
) -> ScanReport:
    """Return the verdict of ``policy`` on a parsed Trivy ``report`` of the image ``digest``. Pure.

    ``complete`` is False where a database was missing, so that vulnerabilities may have been overlooked.
    """
    family, version, packages, findings = read_report(report)
    reasons = [_refusal(item) for item in findings if _refuses(item, policy)]
    if not family:
        reasons.append("the image has no operating system that the scanner knows, so its packages can't be judged")
    if not complete and policy.unscanned == "refuse":
        missing = "vulnerability database for Java archives" if db_updated_at else "vulnerability database"
        reasons.append(f"there is no {missing}, and this policy allows no unscanned image")
    outcome = "refused" if reasons else ("passed" if complete else "unscanned")
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
