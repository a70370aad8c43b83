"""The capped parsers: values with lines, and every broken text a refusal that names its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import DetectionError
from detectors.folder import Folder
from detectors.manifests import json_document, properties, text_of, toml_document
from detectors.reading.document import Document
from detectors.reading.xml_text import Node, xml_document
from detectors.reading.yaml_text import yaml_documents
from tests.detectors.trees import DictTree

Parser = Callable[[str | bytes], object]


def folder(data: str | bytes) -> Folder:
    return Folder(DictTree({"f": data}))


def parse_json(data: str | bytes) -> Document:
    return json_document(folder(data), "f")


def parse_jsonc(data: str | bytes) -> Document:
    return json_document(folder(data), "f", comments=True)


def parse_toml(data: str | bytes) -> Document:
    return toml_document(folder(data), "f")


def parse_xml(data: str | bytes) -> Node:
    return xml_document(folder(data), "f")


def parse_yaml(data: str | bytes) -> list[Document]:
    return yaml_documents("f", text_of(folder(data), "f"))


def test_json_keys_have_lines() -> None:
    found = parse_json('{\n "a": {"b": 1,\n  "c": "x:,{}"},\n "d": [\n{"e": 2}]}')
    assert (found.line("a", "b"), found.line("a", "c"), found.line("d"), found.line("a", "none")) == (2, 3, 4, 2)
    assert (found.text("a", "c"), found.get("d", 0, "e"), found.text("a"), found.table("d")) == ("x:,{}", 2, None, {})


def test_jsonc_loses_its_comments_and_trailing_commas_only() -> None:
    found = parse_jsonc('{ // one\n "a": "// no, }", /* two\n lines */ "b": [1, 2, ],\n}')
    assert found.value == {"a": "// no, }", "b": [1, 2]}
    assert found.line("b") == 3


def test_toml_keys_have_lines() -> None:
    found = parse_toml('[project]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3"\n')
    assert (found.line("project", "name"), found.line("tool", "poetry", "dependencies", "python")) == (2, 5)


def test_yaml_is_typed_only_where_nobody_is_surprised() -> None:
    (found,) = parse_yaml('a: 3.10\nb: 8000\nc: "8000"\nd: yes\ne: true\nf:\n  - x\n  - {g: ~}\nh: 2026-01-01\n')
    expected = {"a": "3.10", "b": 8000, "c": "8000", "d": "yes", "e": True, "f": ["x", {"g": None}], "h": "2026-01-01"}
    assert found.value == expected
    assert (found.line("f", 1, "g"), found.line("h")) == (8, 9)


def test_yaml_may_hold_several_documents() -> None:
    assert [item.value for item in parse_yaml("a: 1\n---\nb: 2\n")] == [{"a": 1}, {"b": 2}]


def test_xml_nodes_have_lines_and_no_namespaces() -> None:
    root = parse_xml('<p xmlns="urn:x">\n <a><b> 1 </b></a>\n <a><b>2</b></a></p>')
    assert [(node.text, node.line) for node in root.each("a", "b")] == [("1", 2), ("2", 3)]
    assert (root.value("a", "b"), root.value("none")) == ("1", None)


def test_properties_are_read_as_java_reads_them() -> None:
    found = properties("# c\n! c\na=1\nb : 2\n c   3\na=4\nurl=http://x:1/y=z\nempty=\n")
    assert found["a"] == ("4", 6)
    assert {name: value for name, (value, _) in found.items()} == {
        "a": "4", "b": "2", "c": "3", "url": "http://x:1/y=z", "empty": "",
    }  # fmt: skip


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf{}", b"{\r\n}", b"{\r}"])
def test_a_byte_order_mark_and_foreign_line_ends_are_no_error(data: bytes) -> None:
    assert parse_json(data).value == {}


@pytest.mark.parametrize(
    ("parse", "data", "place"),
    [
        (parse_json, '{\n "a": 1,,\n}', "f:2:9"),
        (parse_json, b'{"a": "caf\xe9"}', "f:1:11"),
        (parse_json, b'{\n"a\0": 1}', "f:2:3"),
        (parse_json, r'{"a": "\ud800"}', "f:1:1"),
        (parse_toml, "[a]\nb = \n", "f:2:5"),
        (parse_toml, "[a\n", "f:1:3"),
        (parse_yaml, "a: 1\nb: [\n", "f:3:1"),
        (parse_yaml, "a: 1\na: 2\n", "f:2:4"),
        (parse_yaml, "a: @x\n", "f:1:4"),
        (parse_xml, "<a>\n<b></a>", "f:2:6"),
        (parse_xml, "", "f:1:1"),
        (parse_xml, "<a/>x", "f:1:5"),
        (parse_xml, '<?xml version="1.0" encoding="x-none"?><a/>', "f:1:1"),
    ],
)
def test_what_is_broken_is_refused_with_its_place(parse: Parser, data: str | bytes, place: str) -> None:
    with pytest.raises(DetectionError) as told:
        parse(data)
    assert told.value.what.startswith(place)
    assert told.value.kind == "not_deployable"
    assert told.value.why
    assert told.value.fix


LAUGHS = '<!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><l>&b;</l>'


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_json, "[" * 100_000),
        (parse_json, '{"a":' * 100_000),
        (parse_json, "9" * 100_000),
        (parse_json, '"' + "a" * 2_000_000),
        (parse_jsonc, "/*" * 400_000),
        (parse_jsonc, "[" + "," * 400_000),
        (parse_toml, "a = " + "[" * 100_000),
        (parse_toml, "a" + ".a" * 400_000 + " = 1"),
        (parse_toml, "[" + "a." * 400_000 + "a]"),
        (parse_toml, "a = " + "9" * 100_000),
        (parse_toml, 'a = """' + '"\\' * 300_000),
        (parse_yaml, "[" * 100_000),
        (parse_yaml, "- " * 100_000),
        (parse_yaml, "a: &x [1]\nb: *x\n"),
        (parse_yaml, "a: &x 1\n"),
        (parse_yaml, "{" * 50_000),
        (parse_yaml, "? a\n" + "\t"),
        (parse_yaml, "? [a]\n: b\n"),
        (parse_xml, "<a>" * 100_000),
        (parse_xml, LAUGHS),
        (parse_xml, '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
    ],
    ids=range(21),
)
def test_bombs_are_refused_before_they_go_off(parse: Parser, data: str) -> None:
    with pytest.raises(DetectionError):
        parse(data)


@pytest.mark.parametrize("parse", [parse_json, parse_jsonc, parse_toml, parse_yaml, parse_xml])
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_value_or_a_refusal(parse: Parser, data: bytes) -> None:
    with suppress(DetectionError):
        parse(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=JSON, indent=st.sampled_from([None, 1]))
def test_every_json_value_is_read_back(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert parse_json(text).value == value
    assert parse_jsonc(text).value == value


@given(value=st.dictionaries(st.text("abc", min_size=1), st.dictionaries(st.text("xyz", min_size=1), st.integers())))
def test_every_key_has_the_line_on_which_it_stands(value: dict[str, dict[str, int]]) -> None:
    text = json.dumps(value, indent=1)
    found = parse_json(text)
    lines = text.split("\n")
    for outer, inner in value.items():
        for key in inner:
            assert lines[found.line(outer, key) - 1].strip().startswith(json.dumps(key))
