"""The global options of a command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Colour = Literal["auto", "always", "never"]


@dataclass(slots=True)
class Flags:
    """The values of the global options, given before or after the command."""

    url: str | None = None
    context: str | None = None
    ca: Path | None = None
    api_key_file: Path | None = None
    token_file: Path | None = None
    color: Colour | None = None
    timeout: float | None = None
    quiet: bool = False
    debug: bool = False
    output: str = "table"
