"""Environment variables that a person gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.environment import environment, secret_looking
from pipeline.errors import PipelineError

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_value_given_as_a_pair_arrives_unchanged(variables: dict[str, str]) -> None:
    assert environment(f"{name}={value}" for name, value in variables.items()) == variables


def test_a_dotenv_file_is_read_and_pairs_beat_it(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# comment\n\nexport A=1\nB=\"two words\"\nC='x=y'\nD=\n", encoding="utf-8")

    assert environment(["A=2"], file) == {"A": "2", "B": "two words", "C": "x=y", "D": ""}


@pytest.mark.parametrize("text", ["=x", "A", "1A=x", "A B=x", "A=\0", ""])
def test_what_is_no_variable_is_refused_without_showing_its_value(text: str) -> None:
    with pytest.raises(PipelineError) as refused:
        environment([text])
    assert refused.value.kind == "input"


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\n")
    with pytest.raises(PipelineError, match="can't be read"):
        environment([], file)


def test_names_that_people_give_to_secrets_are_noticed() -> None:
    assert secret_looking(["API_TOKEN", "DB_PASSWORD", "SECRET_KEY", "AWS_ACCESS_KEY_ID", "STRIPE_APIKEY"]) == [
        "API_TOKEN",
        "AWS_ACCESS_KEY_ID",
        "DB_PASSWORD",
        "SECRET_KEY",
        "STRIPE_APIKEY",
    ]
    assert secret_looking(["GREETING", "PORT", "KEYBOARD", "TOKENIZER", "MONKEY"]) == []
