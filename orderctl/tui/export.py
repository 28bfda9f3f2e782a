"""Writes what a table shows into a file."""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from orderd.wire.message import Message


def export(rows: Sequence[Message], kind: type[Message], name: str, now: datetime, folder: Path) -> Path:
    """As CSV, with the members that ``-o csv`` and ``-o json`` have, in a new file. Raises OSError."""
    path = folder / f"orderctl-{name}-{now.astimezone():%Y%m%d-%H%M%S}.csv"
    with path.open("x", newline="") as file:
        writer = csv.DictWriter(file, kind.model_fields, lineterminator="\n", restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json") for row in rows)
    return path
