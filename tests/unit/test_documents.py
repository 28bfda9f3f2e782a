"""The documents match the program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from orderd.config.reference import DOCUMENTS, environment_example, with_tables
from orderd.config.settings import Settings
from orderd.domain.pool_kind import PoolKind
from orderd.gateway.docs.openapi import openapi_document
from orderd.gateway.http.app import application
from orderd.simnet.faults import Faults, Views
from orderd.wire.rpc import Method

ROOT = Path(__file__).parents[2]
PAGES = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]
RENEW = "renew it with: python -m orderd.config.reference"


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_tables_of_documents_are_current(name: str) -> None:
    document = (ROOT / name).read_text()
    assert document == with_tables(document, DOCUMENTS[name]), RENEW


@pytest.mark.parametrize("model", [Settings, Faults, Views])
def test_every_setting_has_a_description(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_a_document_without_markers_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for settings"):
        with_tables("# A document\n", DOCUMENTS["docs/configuration.md"])


def test_the_example_environment_lists_the_settings_and_their_defaults() -> None:
    assert (ROOT / ".env.example").read_text() == environment_example(), RENEW


def test_the_api_document_lists_all_methods() -> None:
    rows = re.findall(r"^\| `([a-z._]+)` \|", (ROOT / "docs/api.md").read_text(), flags=re.MULTILINE)
    assert rows == [str(method) for method in Method]


def test_the_api_document_lists_all_requests() -> None:
    cells = re.findall(r"^\| (`[A-Z]+ /[^|]+) \|", (ROOT / "docs/api.md").read_text(), flags=re.MULTILINE)
    listed = {request for cell in cells for request in re.findall(r"`([A-Z]+ /[^`]*)`", cell)}
    paths = openapi_document(application(), api_key_required=False)["paths"]
    assert listed - {"GET /dashboard"} == {f"{method.upper()} {path}" for path in paths for method in paths[path]}


@pytest.mark.parametrize("document", PAGES)
def test_every_file_named_in_a_document_exists(document: str) -> None:
    """A file of the project is named from its root, or without the package that most of the document is about."""
    named = re.findall(
        r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|lua|toml|sh|md|json|tcss|service|timer|conf|yml|so))`", text_of(document)
    )
    places = [ROOT, ROOT / "orderd", ROOT / "orderctl", (ROOT / document).parent]
    assert [name for name in named if not any((place / name).is_file() for place in places)] == []


@pytest.mark.parametrize("document", PAGES)
def test_every_link_of_a_document_resolves(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), f"{document} links to {target}"
    # Absolute URLs, for documents that are also read elsewhere: on a package index, or as a site.
    for target in re.findall(r"\]\(https://[^)]+/orderd/orderd/(?:blob/|tree/)?main/([^)#]+)\)", path.read_text()):
        assert (ROOT / target).exists(), f"{document} links to {target}"


def test_the_site_builds_and_all_its_links_and_anchors_resolve(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert built.returncode == 0, built.stderr
    pages = {path.parent.name for path in (tmp_path / "site").rglob("index.html")} - {"site"}
    assert pages == {path.stem for path in (ROOT / "docs").rglob("*.md")} - {"index"}


def test_every_pool_kind_has_the_documented_modules() -> None:
    text = (ROOT / "docs/extending.md").read_text()
    modules = re.findall(r"^   \| `([a-z/]+)` \|", text, flags=re.MULTILINE)
    assert {"program", "maths/", "venue", "simnet/handler", "simnet/genesis", "simnet/market"} == set(modules)
    for kind in PoolKind:
        folder = ROOT / "orderd/pools" / kind
        for module in modules:
            assert (folder / module).is_dir() if module.endswith("/") else (folder / f"{module}.py").is_file()


def test_every_target_of_make_is_documented() -> None:
    """The README has the first targets for a reader, the page about testing those for contributors."""
    first = set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    assert first == {"demo", "test", "run"}
    others = set(re.findall(r"^\| `make ([a-z-]+)", (ROOT / "docs/testing.md").read_text(), flags=re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert first | others == targets - {"help", "constraints", "clean"}
