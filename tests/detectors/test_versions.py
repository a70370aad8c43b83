"""Versions: ranges as people write them, one order of pins, the table of base images, offline or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.bases import Family, family, read_table
from detectors.ranges import ANY, Dialect, line_interval, overlap, parse_range
from detectors.reading.yaml_text import yaml_documents
from resources import read_text
from tests.detectors.trees import evidence, package, service, warnings


@pytest.mark.parametrize(
    ("text", "dialect", "lines"),
    [
        (">=18", "semver", ["18", "20", "22", "24"]),
        ("^20.1.0", "semver", ["20"]),
        ("20.x", "semver", ["20"]),
        ("18 || 22", "semver", ["18", "22"]),
        (">=18 <22", "semver", ["18", "20"]),
        ("18 - 20", "semver", ["18", "20"]),
        (">20", "semver", ["22", "24"]),
        ("<=20", "semver", ["18", "20"]),
        ("~20.11", "semver", ["20"]),
        ("v22.3.0", "semver", ["22"]),
        ("*", "semver", ["18", "20", "22", "24"]),
        ("", "semver", ["18", "20", "22", "24"]),
        (">=20.9.0 <21 || >=22.0.0-rc.1", "semver", ["20", "22", "24"]),
        (">=3.10,<3.13", "pep440", ["3.10", "3.11", "3.12"]),
        ("~=3.11", "pep440", ["3.11", "3.12", "3.13"]),
        ("~=3.11.2", "pep440", ["3.11"]),
        ("==3.12.*", "pep440", ["3.12"]),
        (">=3.10, !=3.11.*, <4", "pep440", ["3.10", "3.12", "3.13"]),
        ("^3.12", "pep440", ["3.12", "3.13"]),
        ("3.12.4", "pep440", ["3.12"]),
        ("<3.11", "pep440", ["3.10"]),
        ("1.8", "java", ["8"]),
        ("21.0.2-tem", "java", ["21"]),
        ("17.0.1+12", "java", ["17"]),
    ],
)
def test_ranges_fit_the_release_lines_they_name(text: str, dialect: Dialect, lines: list[str]) -> None:
    known = {"semver": ["18", "20", "22", "24"], "pep440": ["3.10", "3.11", "3.12", "3.13"], "java": ["8", "17", "21"]}
    wanted = parse_range(text, dialect)
    assert wanted is not None
    assert [line for line in known[dialect] if overlap(wanted, line_interval(line))] == lines


@given(
    text=st.text("0123456789.xX*<>=~^!|&, -vabc", max_size=40), dialect=st.sampled_from(["semver", "pep440", "java"])
)
def test_any_text_is_a_range_or_not_understood(text: str, dialect: Dialect) -> None:
    wanted = parse_range(text, dialect)
    assert wanted is None or overlap(wanted, ANY) == wanted


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_an_exact_version_lies_in_its_own_line_and_no_other(major: int, minor: int, micro: int) -> None:
    exact = parse_range(f"{major}.{minor}.{micro}", "semver")
    assert exact is not None
    assert overlap(exact, line_interval(str(major)))
    assert not overlap(exact, line_interval(str(major + 1)))


def node(
    files: dict[str, str] | None = None, engine: str | None = None, *, offline: bool = False
) -> tuple[str | None, list[str]]:
    fields: dict[str, object] = {"scripts": {"start": "node a.js"}}
    if engine is not None:
        fields["engines"] = {"node": engine}
    found = service({"package.json": package(**fields), "package-lock.json": "", **(files or {})}, offline=offline)
    return found.language_version, warnings(found)


@pytest.mark.parametrize(
    ("files", "engine", "version"),
    [
        ({}, None, "24"),
        ({}, ">=18", "24"),
        ({}, "22.x", "22"),
        ({".nvmrc": "v22.3.0\n"}, ">=18", "22"),
        ({".nvmrc": "lts/jod"}, None, "22"),
        ({".nvmrc": "lts/*"}, None, "24"),
        ({".nvmrc": "# pinned\n22"}, None, "22"),
        ({".node-version": "22"}, None, "22"),
        ({".tool-versions": "python 3.1\nnodejs 22.1.0\n"}, None, "22"),
        ({"mise.toml": '[tools]\nnode = "22"\n'}, None, "22"),
        ({".nvmrc": "22", ".node-version": "24"}, None, "22"),
    ],
)
def test_pins_decide_in_their_order(files: dict[str, str], engine: str | None, version: str) -> None:
    assert node(files, engine)[0] == version


def test_what_conflicts_is_warned_of() -> None:
    version, notes = node({".nvmrc": "24"}, "<=22")
    assert version == "24"
    assert any("asks for <=22, but .nvmrc asks for 24, which decides" in note for note in notes)


def test_a_version_that_is_not_there_gives_the_next_one_and_a_warning() -> None:
    assert node({".nvmrc": "16"})[0] == "20"
    assert node({".nvmrc": "99"})[0] == "24"
    assert any("base images have node 20, 22, 24: 20 is taken" in note for note in node({".nvmrc": "16"})[1])


def test_a_version_that_can_not_be_understood_is_passed_over() -> None:
    version, notes = node({".nvmrc": "my node"}, "22")
    assert version == "22"
    assert any("can't be understood" in note for note in notes)


def test_a_version_past_its_end_of_life_is_warned_of() -> None:
    version, notes = node({".nvmrc": "20"})
    assert version == "20"
    assert any("no security fixes since 2026-04-30" in note for note in notes)


def test_offline_takes_the_nearest_image_and_says_so() -> None:
    version, notes = node({".nvmrc": "22"}, offline=True)
    assert version == "20"
    assert any(".nvmrc asks for 22; the offline base images have only node 20" in note for note in notes)
    assert not any("have only" in note for note in node(engine=">=18", offline=True)[1])


def test_a_person_beats_every_pin() -> None:
    files = {"package.json": package(scripts={"start": "node a.js"}), ".nvmrc": "24"}
    found = service(files, version="22")
    assert (found.language_version, evidence(found, "language_version")) == ("22", "overrides:1")


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, "3.13"),
        ({".python-version": "3.11.4\n"}, "3.11"),
        ({"runtime.txt": "python-3.12.1"}, "3.12"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.10,<3.12"\n'}, "3.11"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.10"\n'}, "3.13"),
        ({"Pipfile": '[requires]\npython_version = "3.12"\n'}, "3.12"),
        ({".python-version": "3.8"}, "3.10"),
    ],
)
def test_python_versions(files: dict[str, str], version: str) -> None:
    assert service({"main.py": "print('x')", **files}).language_version == version


@pytest.mark.parametrize("name", ["node", "python", "maven"])
def test_the_table_of_base_images_is_whole(name: str) -> None:
    found = family(name)
    assert found.default in found.versions
    assert found.offline_default in found.offline
    assert all(line_interval(version) for version in found.versions)


def test_the_quick_reading_of_the_table_is_what_yaml_says() -> None:
    text = read_text("base-images.yaml")
    (table,) = yaml_documents("base-images.yaml", text)
    found = read_table(text)
    assert list(found) == list(table.table("images"))
    for name, images in found.items():
        versions = table.table("images", name, "versions")
        path = ("images", name, "versions")
        assert images == Family(
            name,
            table.text("released") or "",
            table.text("images", name, "default") or "",
            table.text("images", name, "offline_default") or "",
            {version: table.text(*path, version, "end_of_life") for version in versions},
            tuple(version for version in versions if table.get(*path, version, "offline")),
        )
