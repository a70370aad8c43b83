"""What is generated is current, and what is linked is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runs.schemas import SCHEMAS, schema_text
from resources import resource

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for path in ROOT.glob("**/*.md") if not {".venv", ".demo", ".test", "node_modules"} & set(path.parts)
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_that_of_its_record(name: str) -> None:
    committed = resource(f"schemas/{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), "run `python -m pipeline.runs.schemas`"


def test_there_is_no_schema_without_a_record() -> None:
    assert {file.name.removesuffix(".schema.json") for file in resource("schemas").iterdir()} == set(SCHEMAS)


def test_the_command_reference_is_what_the_commands_say() -> None:
    committed = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    # A process of its own: what other tests did to click's commands must not show.
    command = [sys.executable, "-m", "pipeline.commands.reference"]
    now = subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout.decode()
    assert committed == now, "run `python -m pipeline.commands.reference > docs/reference/commands.md`"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_the_readme_is_short_and_begins_with_its_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    first = [line for line in lines if line.startswith("make ")][:2]
    assert [line.split()[1] for line in first] == ["demo", "test"]


def test_no_lock_file_names_the_host_that_it_came_from() -> None:
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout.decode()
    locks = [ROOT / name for name in tracked.split("\0") if re.search(r"(\.lock|package-lock\.json)$", name)]
    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert not re.search(
            r'"resolved"|--index-url|https?://(?!.*(license|github|funding))[^"\s]*\.(whl|tgz|tar\.gz)', text
        ), lock
