"""The project's metadata, documents and names are valid and consistent."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
ELSEWHERE = {
    "orderd.toml",
    "orderd.service",
    "orderd.socket",
    "orderctl.toml",
    "keys.toml",
    "orderd.lock",
    "application/json",
    "SOL/USDC",
    "build/site",
}
"""Words that look like file names but are not."""
_LAYOUT: Final = "what two programs call the same thing in their accounts or instructions"
_TITLE: Final = "a view of the assistant, whose name is a title in the schemas of its tools"
SHARED_NAMES: Final = {
    "ActivationType": _LAYOUT,
    "AmmConfig": _LAYOUT,
    "Leg": _TITLE,
    "Observation": _LAYOUT,
    "ObservationState": _LAYOUT,
    "Order": _TITLE,
    "PoolState": _LAYOUT,
    "PoolStatus": _LAYOUT,
    "Quote": _TITLE,
    "RewardInfo": _LAYOUT,
    "Settings": "each of the two programs has its settings, and imports no others",
    "Step": _TITLE,
    "Swap2": _LAYOUT,
    "Token": _TITLE,
}
"""Names shared by several classes, with the reason. A name that becomes unique leaves the table."""
_PYPROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: Final[dict[str, Any]] = _PYPROJECT["project"]
SETUPTOOLS: Final[dict[str, Any]] = _PYPROJECT["tool"]["setuptools"]


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("workflows/ci.yml", "github-workflows"),
        ("ISSUE_TEMPLATE/bug.yml", "github-issue-forms"),
        ("ISSUE_TEMPLATE/feature.yml", "github-issue-forms"),
        ("ISSUE_TEMPLATE/config.yml", "github-issue-config"),
    ],
)
def test_files_for_github_follow_their_schemas(file: str, schema: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(GITHUB / file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_ci_runs_on_every_supported_python() -> None:
    (job,) = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    named = re.findall(r":: (3\.\d+)'", str(PROJECT["classifiers"]))
    assert job["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_pre_commit_hooks_run_the_checks_of_make_check() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    tools = [re.sub(r" --(check|fix)| \.$", "", line) for line in re.findall(r"\$\(BIN\)/(.+)", recipe)]
    assert [hook["entry"].removeprefix(".venv/bin/").removesuffix(" --fix") for hook in local["hooks"]] == tools


def test_the_licence_matches_the_project_metadata() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith(f"{PROJECT['license']} License\n")
    (author,) = PROJECT["authors"]
    assert re.search(rf"^Copyright \(c\) \d{{4}} {author['name']}$", licence, flags=re.MULTILINE)
    assert PROJECT["license-files"] == ["LICENSE"]


def test_the_image_is_built_with_the_files_of_the_project_metadata() -> None:
    copied = (ROOT / "Dockerfile").read_text()
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for file in (PROJECT["readme"], *PROJECT["license-files"]):
        assert re.search(rf"^COPY .*\b{re.escape(file)}\b", copied, flags=re.MULTILINE)
        assert f"!{file}" in let_in


def test_a_source_distribution_has_all_files_of_the_project() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    tops = {path.partition("/")[0] for path in tracked.stdout.splitlines()}
    by_itself = {"MANIFEST.in", "pyproject.toml", "setup.py", PROJECT["readme"], *PROJECT["license-files"]}
    packages = {name.removesuffix("*") for name in SETUPTOOLS["packages"]["find"]["include"]}
    assert tops == by_itself | packages | set(
        re.findall(
            r"\S+",
            re.sub(
                r"#.*|^(include|graft) |^(prune|global-exclude) .*",
                "",
                (ROOT / "MANIFEST.in").read_text(),
                flags=re.MULTILINE,
            ),
        )
    )


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/architecture.md",
        "docs/extending.md",
        ".github/pull_request_template.md",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".pre-commit-config.yaml",
    ],
)
def test_every_make_target_named_in_a_document_exists(document: str) -> None:
    named = re.findall(r"(?:`|^#?\s*)make ([a-z-]+)(?:`|$| +[#A-Z])", (ROOT / document).read_text(), flags=re.MULTILINE)
    assert named
    assert set(named) <= TARGETS


def test_make_help_lists_every_target() -> None:
    # Within another make it would print the directory it enters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run(
        ["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert {line.split()[1] for line in printed.splitlines()} == TARGETS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_named_in_a_document_exists(document: str) -> None:
    """A path is relative to the root, to a package, or to the folder of each pool kind."""
    text = (ROOT / document).read_text()
    paths = set(re.findall(r"`([\w.]+(?:/[\w.]+)+|\w+\.(?:py|toml|md|yaml))`", text)) - ELSEWHERE
    tops = (ROOT, ROOT / "orderd", ROOT / "orderctl", *(ROOT / "orderd" / "pools").iterdir())
    missing = {
        path for path in paths if not any((top / f"{path}{end}").exists() for top in tops for end in ("", ".py"))
    }
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_package_named_in_a_document_exists(document: str) -> None:
    for name in re.findall(r"`((?:orderd|orderctl|db)(?:\.[a-z_]+)+)`", (ROOT / document).read_text()):
        path = ROOT / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").exists() or name in ELSEWHERE, name


def test_the_architecture_names_every_package() -> None:
    tour = (ROOT / "docs/architecture.md").read_text().partition("## One order")[0]
    packages = {path.parent.name for path in (ROOT / "orderd").glob("*/__init__.py")}
    assert {name for name in packages if f"`orderd.{name}`" not in tour} == set()


def test_public_class_names_are_unique() -> None:
    modules = defaultdict(list)
    for package in ("db", "orderctl", "orderd"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    modules[node.name].append(str(path.relative_to(ROOT)))
    shared = {name: places for name, places in modules.items() if len(places) > 1}
    new = {name: places for name, places in shared.items() if name not in SHARED_NAMES}
    assert not new, "each class needs a unique name"
    assert set(shared) == SHARED_NAMES.keys(), "remove names that have become unique from SHARED_NAMES"


def test_the_changelog_begins_with_the_policy_and_names_each_stored_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)", changelog, flags=re.MULTILINE)
    assert headings[:2] == ["What is promised", "[Unreleased]"]
    policy = changelog.partition("## [Unreleased]")[0]
    stored = [path.parent.name for path in (ROOT / "tests" / "compat").glob("*/expected.json")]
    assert stored
    assert all(version in policy for version in stored)
