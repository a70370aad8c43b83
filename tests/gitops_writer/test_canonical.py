"""The canonical form: what is written is what every reader reads, and there is one way to write it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitops_writer.canonical import json_document, yaml_document, yaml_stream
from gitops_writer.errors import GitopsError
from gitops_writer.helm import parse_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
DOCUMENTS = st.dictionaries(
    TEXT,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)),
    max_size=6,
)
LOOKS_LIKE_YAML = ["yes", "no", "on", "1:30", "0o7", "0x1f", "1e3", "~", "null", "", " ", "-", "#", "a: b", "{{ x }}",
                   "!!binary", "&a", "*a", "%", "---", "...", "\t", "\r\n", "\x85", "\u2028", "\ufeff", "é", "😀",
                   "\x7f", "2001-01-01", "=", "<<", "\x01", "a\n\nb\n", "'", '"', "\\", "word " * 90]  # fmt: skip


def ruamel(document: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(io.BytesIO(document))


@settings(deadline=None)
@given(DOCUMENTS)
@example({"on": {"yes": [[], {}, [["y"]], [{"a": 1, "b": [None]}]]}, "<<": "x", "": ""})
def test_ruamel_reads_back_what_was_written(document: dict[str, Any]) -> None:
    assert ruamel(yaml_document(document)) == document


@settings(deadline=None)
@given(DOCUMENTS)
@example({"on": "off", "<<": {"a": "b"}, "1": 1, "~": None})
def test_helm_reads_back_what_was_written(document: dict[str, Any]) -> None:
    assert parse_yaml(yaml_document(document)) == document


@pytest.mark.parametrize("text", LOOKS_LIKE_YAML, ids=ascii)
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    document = {"value": text, text: "key"}
    assert ruamel(yaml_document(document)) == parse_yaml(yaml_document(document)) == document


@given(DOCUMENTS)
def test_order_of_insertion_changes_no_byte(document: dict[str, Any]) -> None:
    turned = dict(reversed(document.items()))
    assert yaml_document(turned) == yaml_document(document)
    assert json_document(turned) == json_document(document)


@given(DOCUMENTS)
def test_there_is_one_trailing_newline_and_no_carriage_return_or_trailing_space(document: dict[str, Any]) -> None:
    data = yaml_document(document)
    assert data.endswith(b"\n")
    assert not data.endswith(b"\n\n")
    assert b"\r" not in data
    assert not re.search(rb"[ \t]\n", data)


@given(DOCUMENTS)
def test_json_reads_back_and_is_sorted(document: dict[str, Any]) -> None:
    data = json_document(document)
    assert json.loads(data) == document
    assert data == json_document(json.loads(data))


@pytest.mark.parametrize("value", [1.5, float("nan"), b"bytes", {1: "x"}, {"a"}, {"k" * 1001: 1}, object()])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(GitopsError, match="no canonical form"):
        yaml_document({"value": value})


def test_a_long_text_is_not_folded() -> None:
    assert yaml_document({"a": "word " * 2000}).count(b"\n") == 1


def test_half_a_surrogate_pair_is_refused() -> None:
    for write in (yaml_document, json_document):
        with pytest.raises(GitopsError, match="UTF-8"):
            write({"value": "\ud83d"})


def test_a_stream_holds_its_documents_in_order() -> None:
    assert yaml_stream([{"a": 1}, {"b": []}]) == b"a: 1\n---\nb: []\n"


BYTES_OF_A_RELEASE = """
import hashlib
from tests.gitops_writer.samples import files_of
print(hashlib.sha256(repr(sorted(files_of().items())).encode()).hexdigest())
"""


def test_bytes_are_equal_under_any_hash_seed_locale_and_time_zone() -> None:
    surroundings = [
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "TZ": "Asia/Phnom_Penh", "PYTHONUTF8": "0"},
    ]
    hashes = {
        subprocess.run(
            [sys.executable, "-c", BYTES_OF_A_RELEASE], env={**os.environ, **env}, check=True, capture_output=True
        ).stdout
        for env in surroundings
    }
    assert len(hashes) == 1
