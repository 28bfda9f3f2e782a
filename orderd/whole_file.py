"""Atomic writes of files that other processes read: readers see either the old or the new content."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_whole(file: Path, content: bytes) -> None:
    """Replace the file's content atomically. Raises OSError."""
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(file)


def write_address(file: Path, **address: object) -> None:
    """Write the addresses of this process for readers of its state directory; its ``pid`` is added. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, json.dumps({"pid": os.getpid(), **address}).encode())


def read_address(file: Path) -> Mapping[str, Any]:
    """The addresses that a process has written: ``pid``, ``url``, ... Raises FileNotFoundError."""
    address: dict[str, Any] = json.loads(file.read_text())
    return address


def renew(file: Path) -> None:
    """Set the time of a file that shows, by its age, that a process lives. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch()
