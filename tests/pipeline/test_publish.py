"""The push stream, where the engine reports errors that its status code doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.publish import pushed_digest

DIGEST = "sha256:" + "b" * 64


def test_the_digest_comes_from_the_end_of_the_stream() -> None:
    assert pushed_digest([{"status": "Pushed"}, {"progressDetail": {}, "aux": {"Digest": DIGEST}}], "r/x") == DIGEST


@pytest.mark.parametrize(
    ("line", "retryable"),
    [
        ({"errorDetail": {"message": "connection refused"}, "error": "connection refused"}, True),
        ({"error": "unauthorized: authentication required"}, False),
        ({"error": "denied: requested access to the resource is denied"}, False),
        ({"error": "no basic auth credentials"}, False),
    ],
)
def test_an_error_in_the_stream_is_raised_and_only_a_passing_one_is_retried(
    line: dict[str, Any], retryable: bool
) -> None:
    with pytest.raises(PipelineError) as failed:
        pushed_digest([{"status": "Preparing"}, line, {"aux": {"Digest": DIGEST}}], "r/x")
    assert failed.value.retryable is retryable
    assert failed.value.kind == "outside"


def test_a_stream_without_a_digest_is_no_success() -> None:
    with pytest.raises(PipelineError, match="failed"):
        pushed_digest([{"status": "Pushed"}], "r/x")
