"""What the embedded Postgres had to say: writers that are in each other's way are found here, whoever retried them."""

import re
from pathlib import Path
from typing import Final

_ERROR: Final = re.compile(r"(?:ERROR|PANIC): .*|.*deadlock detected.*")


def complaints(state_dir: Path) -> list[str]:
    """Each refused statement and each deadlock, also of earlier runs on this directory.

    What is FATAL ends a session: so does every stop and every kill of a server, in the sessions that are open.
    """
    return _ERROR.findall((state_dir / "postgres.log").read_text(errors="replace"))
