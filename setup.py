"""Writes the commit into what is built, so that no git is needed to tell it; all else is in pyproject.toml.

It is what ``SOURCE_COMMIT`` says, for builds without a repository such as that of the image, or what git says. A source
distribution has the file already, and a wheel that is built from it takes it along.
"""

import os
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent


def commit() -> str | None:
    if given := os.environ.get("SOURCE_COMMIT"):
        return given
    if not (ROOT / ".git").exists():
        return None
    try:
        head, changes = (
            subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603, S607
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}+changes" if changes else head


def write(root: str) -> None:
    found = commit()
    if found is not None:
        file = Path(root, "orderd", "COMMIT")
        file.unlink(missing_ok=True)  # it may be a link to another one's
        file.write_text(f"{found}\n")


class BuildPy(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            write(self.build_lib)


class Sdist(sdist):
    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        write(base_dir)


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist})
