"""Reads the log of a running daemon."""

import json
from pathlib import Path
from typing import Any


def log_entries(log: Path, action: str) -> list[dict[str, Any]]:
    """The entries with this action. A line that is still being written is not read."""
    lines = log.read_text().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
    return [entry for entry in entries if entry.get("action") == action]
