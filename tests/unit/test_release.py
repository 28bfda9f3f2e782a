"""The commit of a release is reported only if it is known for certain, without calling git."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderd import release
from orderd.release import Release, this_release

COMMIT = "52933b17ab" * 4
OTHER = "0" * 40


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with the package, as in a checkout or an installation."""
    package = tmp_path / "orderd"
    package.mkdir()
    monkeypatch.setattr(release, "_PACKAGE", package)
    this_release.cache_clear()
    yield tmp_path
    this_release.cache_clear()


def checkout(tree: Path, head: str, **files: str) -> None:
    (tree / ".git/refs/heads").mkdir(parents=True)
    (tree / ".git/HEAD").write_text(f"{head}\n")
    for name, content in files.items():
        (tree / ".git" / name.replace("__", "/").replace("packed_refs", "packed-refs")).write_text(content)


def test_a_package_reports_the_commit_it_was_built_from(tree: Path) -> None:
    (tree / "orderd/COMMIT").write_text(f"{COMMIT}\n")
    assert this_release().commit == COMMIT


def test_an_installed_package_ignores_a_surrounding_repository(tree: Path) -> None:
    (tree / "orderd/COMMIT").write_text(f"{COMMIT}\n")
    checkout(tree, OTHER)
    assert this_release().commit == COMMIT


@pytest.mark.parametrize(
    ("head", "files"),
    [
        (COMMIT, {}),
        ("ref: refs/heads/main", {"refs__heads__main": f"{COMMIT}\n"}),
        (
            "ref: refs/heads/main",
            {"packed_refs": f"# peeled\n{OTHER} refs/heads/x/refs/heads/main\n{COMMIT} refs/heads/main\n"},
        ),
        ("ref: refs/heads/main", {"refs__heads__main": COMMIT, "packed_refs": f"{OTHER} refs/heads/main\n"}),
    ],
    ids=["detached", "loose", "packed", "packed before it moved"],
)
def test_a_checkout_reports_its_head(tree: Path, head: str, files: dict[str, str]) -> None:
    checkout(tree, head, **files)
    assert this_release().commit == COMMIT


@pytest.mark.parametrize("head", ["ref: refs/heads/unborn", "ref: ../../elsewhere", "", "what is this?", "52933b17ab"])
def test_an_unclear_head_gives_no_commit(tree: Path, head: str) -> None:
    checkout(tree, head)
    assert this_release() == Release(this_release().version, None)


def test_there_is_no_commit_without_a_repository(tree: Path) -> None:
    assert this_release().commit is None
    (tree / ".git").write_text("gitdir: /elsewhere\n")
    this_release.cache_clear()
    assert this_release().commit is None


def test_the_description_has_the_short_commit_and_uncommitted_changes() -> None:
    assert Release("0.1.0", COMMIT).description == "0.1.0 (commit 52933b17ab)"
    assert Release("0.1.0", f"{COMMIT}+changes").description == "0.1.0 (commit 52933b17ab with changes)"
    assert Release("0.1.0", None).description == "0.1.0"
