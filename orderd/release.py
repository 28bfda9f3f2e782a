"""The version of orderd, and the commit of its source.

A package contains the commit in a file, which ``setup.py`` writes when the package is built. In a checkout, the commit
is read from git's files, without git. Otherwise the commit is not known.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_FILE: Final = "COMMIT"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?(?:\+changes)?")
"""A SHA-1 or SHA-256 hash; ``+changes`` marks a package that was built from uncommitted files."""
_SHORT: Final = 10


@dataclass(frozen=True, slots=True)
class Release:
    """A release. ``commit`` is the full hash; None if it is not known."""

    version: str
    commit: str | None

    @property
    def description(self) -> str:
        """For people: ``0.1.0 (commit 52933b17ab)``, or the version alone."""
        return self.version if self.commit is None else f"{self.version} (commit {self.short_commit})"

    @property
    def short_commit(self) -> str:
        known, _, changes = (self.commit or "unknown").partition("+")
        return f"{known[:_SHORT]}{' with changes' if changes else ''}"

    def is_like(self, other: "Release") -> bool:
        """Whether the versions, and the commits if both are known, are equal."""
        commits = {self.commit, other.commit} - {None}
        return self.version == other.version and len(commits) < 2


@cache
def this_release() -> Release:
    """The release of this process."""
    found = _read(_PACKAGE / _FILE) or _of_checkout(_PACKAGE.parent / ".git")
    return Release(version("orderd"), found if found and _COMMIT.fullmatch(found) else None)


def _of_checkout(git: Path) -> str | None:
    """The commit of HEAD in this repository (gitrepository-layout(5))."""
    head = _read(git / "HEAD")
    if head is None or not head.startswith("ref: "):
        return head
    ref = head.removeprefix("ref: ")
    if (found := _read(git / ref)) is not None:
        return found
    packed = (_read(git / "packed-refs") or "").splitlines()
    return next((line.split(" ")[0] for line in packed if line.endswith(f" {ref}")), None)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
