"""Errors in the log of the embedded Postgres, such as deadlocks, including those that a retry has hidden."""

import re
from pathlib import Path
from typing import Final

_ERROR: Final = re.compile(r"(?:ERROR|PANIC): .*|.*deadlock detected.*")


def logged_errors(state_dir: Path) -> list[str]:
    """Each failed statement and each deadlock, including those of earlier runs with this directory.

    FATAL lines are not included: they appear in every session that is open when a server stops or is killed.
    """
    return _ERROR.findall((state_dir / "postgres.log").read_text(errors="replace"))
