"""What continuous integration runs, and what is installed for it: both as they are written down, since neither runs here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import NEEDS

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.M))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
LISTS = ("run", "dev")


def steps(path: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every job of a workflow with each of its steps."""
    jobs = YAML(typ="safe").load(path)["jobs"]
    return [(job, step) for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_yaml_whose_steps_run_targets_that_exist(path: Path) -> None:
    workflow = YAML(typ="safe").load(path)
    assert workflow["name"] and "push" in workflow["on"] and workflow["jobs"]
    for job, step in steps(path):
        assert job["runs-on"] and ("run" in step) != ("uses" in step), step
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", "")):
            assert target in TARGETS
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])


def test_the_readmes_commands_are_run_on_the_systems_that_it_names() -> None:
    [path] = WORKFLOWS
    said = path.read_text(encoding="utf-8")
    for system in ("ubuntu-latest", "macos-latest", "windows-latest"):
        assert system in said
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [step["run"] for _, step in steps(path) if "run" in step]
    for command in ("make demo", "make test", "pip install ."):
        assert command in commands and command in readme
    for system, library in (("macOS", "brew install fluid-synth"), ("Windows", "choco install fluidsynth")):
        assert library in said and re.search(rf"\| {system} \| `{library}`, then `pip install \.`", readme)


def locked(name: str) -> dict[str, list[str]]:
    """The packages of a list, each with its hashes."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / ".ci" / f"lock-{name}.txt").read_text(encoding="utf-8").splitlines():
        if wanted := re.match(r"([A-Za-z0-9._-]+)==", line):
            package = wanted[1].lower().replace(".", "-")
            found.setdefault(package, [])
        elif hashed := re.match(r"    --hash=sha256:([0-9a-f]{64})", line):
            found[package].append(hashed[1])
        else:
            assert line.startswith("#"), line
    return found


@pytest.mark.parametrize("name", LISTS)
def test_what_is_installed_is_locked_with_hashes_and_says_nothing_of_where_it_comes_from(name: str) -> None:
    found = locked(name)
    assert all(found.values())
    assert "://" not in (ROOT / ".ci" / f"lock-{name}.txt").read_text(encoding="utf-8")
    assert f"$(call locked,{name})" in MAKEFILE


@pytest.mark.parametrize("name", LISTS)
def test_everything_that_the_project_asks_for_is_in_the_lists(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], "hatchling"]
    if name == "dev":
        asked += [each for extra in ("dev", "live", "neural", "notebook", "stretch") for each in extras[extra]]
    names = {re.match(r"[A-Za-z0-9._-]+", each)[0].lower().replace("_", "-").replace(".", "-") for each in asked}  # type: ignore[index]
    # torch is installed first and on its own, as the Makefile says.
    assert names - set(locked(name)) - {"mirepoix"} <= {"torch"}


def test_torch_is_pinned_where_it_is_installed() -> None:
    assert re.search(r"^TORCH \?= torch==\d+\.\d+\.\d+$", MAKEFILE, re.M)


def test_every_slow_group_of_tests_is_explained_and_there() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert [each.partition(":")[0] for each in config["markers"]] == sorted(NEEDS)
    for places in NEEDS.values():
        for place in places:
            assert (ROOT / "tests" / place).exists(), place
