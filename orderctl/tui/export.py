"""Exports the rows of a table to a file."""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from orderd.wire.message import Message


def export(rows: Sequence[Message], kind: type[Message], name: str, now: datetime, folder: Path) -> Path:
    """Write rows to a new CSV file, with the same members as ``-o csv``. Raises OSError."""
    path = folder / f"orderctl-{name}-{now.astimezone():%Y%m%d-%H%M%S}.csv"
    with path.open("x", newline="") as file:
        writer = csv.DictWriter(file, kind.model_fields, lineterminator="\n", restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json") for row in rows)
    return path
