"""The verdict on an image: only from a parsed report, exactly as the policy says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.process import Completed
from pipeline.errors import PipelineError
from pipeline.policy import Policy, load_policy
from pipeline.scan import _parsed, trivy_argv, verdict
from resources.contracts import ContractError

DEFAULT, EMBEDDED = load_policy("default"), load_policy("embedded")
DIGEST = "sha256:" + "a" * 64
DB = "2026-11-01T00:00:00Z"


def report(*, family: str = "debian", vulnerabilities: Any = (), secrets: Any = ()) -> dict[str, Any]:
    system = {"Family": family, "Name": "13"} if family else {}
    packages = [{"Name": "libc6"}]
    result = {"Target": "image", "Packages": packages, "Vulnerabilities": vulnerabilities, "Secrets": secrets}
    return {"Metadata": {"OS": system}, "Results": [result]}


def vulnerability(severity: str, fixed: str = "") -> dict[str, str]:
    return {
        "VulnerabilityID": "CVE-1",
        "Severity": severity,
        "PkgName": "p",
        "InstalledVersion": "1",
        "FixedVersion": fixed,
    }


SECRET = {"RuleID": "aws-access-key-id", "Severity": "CRITICAL", "StartLine": 3}

TABLE = [
    ("nothing found", report(), DEFAULT, DB, "passed"),
    ("critical with a fix", report(vulnerabilities=[vulnerability("CRITICAL", "2")]), DEFAULT, DB, "refused"),
    ("critical without a fix", report(vulnerabilities=[vulnerability("CRITICAL")]), DEFAULT, DB, "passed"),
    ("high with a fix", report(vulnerabilities=[vulnerability("HIGH", "2")]), DEFAULT, DB, "passed"),
    ("a secret", report(secrets=[SECRET]), DEFAULT, DB, "refused"),
    ("no known system", report(family=""), DEFAULT, DB, "refused"),
    ("no database", report(), DEFAULT, None, "refused"),
    ("no database, embedded", report(), EMBEDDED, None, "unscanned"),
    ("a secret, embedded, no database", report(secrets=[SECRET]), EMBEDDED, None, "refused"),
    ("no known system, embedded, no database", report(family=""), EMBEDDED, None, "refused"),
    ("a database, embedded", report(), EMBEDDED, DB, "passed"),
]


@pytest.mark.parametrize(("case", "found", "policy", "db", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_truth_table(case: str, found: dict[str, Any], policy: Policy, db: str | None, expected: str) -> None:
    judged = verdict(found, DIGEST, policy, policy_name="p", db_updated_at=db, complete=db is not None)

    assert judged.verdict == expected, case
    assert bool(judged.reasons) == (expected == "refused")


def test_java_archives_without_their_database_are_never_a_pass() -> None:
    refused = verdict(report(), DIGEST, DEFAULT, policy_name="p", db_updated_at=DB, complete=False)
    allowed = verdict(report(), DIGEST, EMBEDDED, policy_name="p", db_updated_at=DB, complete=False)

    assert refused.verdict == "refused"
    assert "Java" in refused.reasons[0]
    assert allowed.verdict == "unscanned"


@given(st.lists(st.sampled_from(["LOW", "MEDIUM", "HIGH", "CRITICAL", "UNKNOWN"]), max_size=6), st.randoms())
def test_the_order_of_findings_changes_nothing(severities: list[str], random: Any) -> None:
    found = [vulnerability(severity, "2") | {"VulnerabilityID": f"CVE-{n}"} for n, severity in enumerate(severities)]
    turned = list(found)
    random.shuffle(turned)

    def judge(items: list[dict[str, str]]) -> object:
        return verdict(report(vulnerabilities=items), DIGEST, DEFAULT, policy_name="p", db_updated_at=DB, complete=True)

    assert judge(found) == judge(turned)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Results":[]}', '{"Metadata":[]}'])
def test_anything_but_a_report_is_an_error_and_never_a_pass(tmp_path: Any, text: str) -> None:
    output = tmp_path / "report.json"
    output.write_text(text)

    with pytest.raises(PipelineError) as failed:
        _parsed(Completed(("trivy",), 0, b"", b"", 0.1, timed_out=False), output)

    assert failed.value.kind == "outside"


def test_a_report_beside_a_failed_exit_code_is_an_error(tmp_path: Any) -> None:
    output = tmp_path / "report.json"
    output.write_text(json.dumps(report()))

    with pytest.raises(PipelineError, match="no verdict"):
        _parsed(Completed(("trivy",), 1, b"", b"FATAL boom", 0.1, timed_out=False), output)


def test_the_scanner_is_kept_from_the_repositorys_own_settings(tmp_path: Any) -> None:
    argv = trivy_argv(DIGEST, cache=tmp_path, output=tmp_path / "r", vulnerabilities=True)

    assert argv[-2:] == ("--", DIGEST)
    assert {"--ignorefile=", "--secret-config=", "--skip-db-update", "--offline-scan"} <= set(argv)


def test_a_policy_of_ones_own_is_checked(tmp_path: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("schema: shipway/policy/v1\nseverities: [WORST]\n")

    with pytest.raises(ContractError, match="policy"):
        load_policy(str(file))
    with pytest.raises(PipelineError, match="can't be read"):
        load_policy(str(tmp_path / "none.yaml"))
