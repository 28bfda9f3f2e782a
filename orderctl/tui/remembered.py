"""The stored layout of the TUI: theme, tab, sorting, filter and chart."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_state_path


@dataclass(frozen=True, slots=True)
class ScreenLayout:
    """The layout. ``chart``: whether the chart is shown; None: if there is room."""

    theme: str = "textual-dark"
    tab: str = "active"
    sorted_by: str = "age"
    is_reversed: bool = True
    words: str = ""
    interval: str = "1m"
    chart: bool | None = None
    unit: str = "USDC"
    method: str = "fifo"


class Memory:
    """Stores the layout in a file. Errors are ignored, because nothing depends on it."""

    def __init__(self, path: Path | None = None) -> None:
        """Without ``path``, nothing is stored."""
        self._path = path
        self.layout = ScreenLayout()
        if path is not None:
            with suppress(OSError, ValueError, RecursionError):
                self.layout = _read(path.read_text())

    def keep(self, **changes: str | bool) -> None:
        """Change members of the layout, and store it."""
        layout = replace(self.layout, **changes)  # type: ignore[arg-type]  # by the names of its members
        if layout == self.layout:
            return
        self.layout = layout
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            new.write_text(json.dumps(asdict(layout), indent=2) + "\n")
            new.replace(self._path)


def memory_path() -> Path:
    return user_state_path("orderctl") / "screen.json"


def _read(text: str) -> ScreenLayout:
    """Parse a layout; values of unexpected types are ignored. Raises ValueError if the text is not JSON."""
    content = json.loads(text)
    default = ScreenLayout()
    if not isinstance(content, Mapping):
        return default
    known: dict[str, Any] = {}
    for field in fields(ScreenLayout):
        value, usual = content.get(field.name), getattr(default, field.name)
        if isinstance(value, bool) if usual is None else type(value) is type(usual):
            known[field.name] = value
    return ScreenLayout(**known)
