"""The commands of the documents: each line of an ``sh`` block, and each line after ``$`` in a ``console`` block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
_BLOCK: Final = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_COMMENT: Final = re.compile(r"(^|\s)# .*$")
_KEEPS: Final = ("export ", "source ")
"""Commands whose effect on the shell later commands need."""


@dataclass(frozen=True)
class DocumentedCommand:
    """``before`` are earlier commands of the document that must run first in the same shell."""

    document: str
    text: str
    before: tuple[str, ...]


def languages() -> set[str]:
    """The languages that the code blocks declare."""
    return {language for document in DOCUMENTS for _, language, _ in _BLOCK.findall(document.read_text())}


def outside_of_blocks(text: str) -> str:
    """The text of a document without its code blocks."""
    return _BLOCK.sub("", text)


def commands() -> Iterator[DocumentedCommand]:
    """All commands, repeated as often as documents contain them."""
    for document in DOCUMENTS:
        before: list[str] = []
        for _, language, content in _BLOCK.findall(document.read_text()):
            for text in _lines(language, content.replace("\\\n", " ")):
                yield DocumentedCommand(str(document.relative_to(ROOT)), text, tuple(before))
                if text.startswith(_KEEPS):
                    before.append(text)


def _lines(language: str, content: str) -> Iterator[str]:
    for line in content.splitlines():
        text = " ".join(_COMMENT.sub("", line).split())
        if language == "sh" and text:
            yield text
        elif language == "console" and text.startswith("$ "):
            yield text.removeprefix("$ ")
