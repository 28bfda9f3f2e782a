"""The screen with the output of a command."""

import asyncio
import os
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import suppress
from typing import ClassVar

from rich.text import Text
from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import RichLog

from orderctl.tui.desk import Desk
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.key_line import KeyLine

LINES_KEPT = 5_000
MAX_LINE_BYTES = 1_000_000


class OutputScreen(Screen[None]):
    """Runs a command in a separate process, and terminates it when the screen is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back; a running command is terminated", id="leave-output"),
        Binding("j", "scroll_down", "Down", show=False, tooltip="A line down", id="output-down"),
        Binding("k", "scroll_up", "Up", show=False, tooltip="A line up", id="output-up"),
    ]
    log_lines = getters.query_one(RichLog)

    def __init__(self, desk: Desk, words: tuple[str, ...]) -> None:
        super().__init__()
        self._desk = desk
        self._words = words
        self._process: Process | None = None

    def compose(self) -> ComposeResult:
        yield Banner()
        log = RichLog(max_lines=LINES_KEPT, min_width=20, wrap=True, auto_scroll=True, id="output")
        log.border_title = self._title()
        yield log
        yield KeyLine()

    def _title(self) -> str:
        return f"orderctl {shlex.join(self._words)}"

    def on_mount(self) -> None:
        self.log_lines.focus()
        self._run()

    def draw(self) -> None:
        self.query_one(Banner).draw(self._desk)

    @work(exit_on_error=False)
    async def _run(self) -> None:
        width = str(max(self.size.width - 4, 40))
        environ = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": width, "PYTHONUNBUFFERED": "1"}
        for name in ("TEXTUAL_DRIVER", "NO_COLOR"):
            environ.pop(name, None)
        program = [sys.executable, "-c", "from orderctl.main import main; main()", *self._words]
        process = await asyncio.create_subprocess_exec(
            *program, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environ, limit=MAX_LINE_BYTES
        )
        self._process = process
        assert process.stdout is not None, "opened with PIPE"
        with suppress(ValueError):  # a line longer than MAX_LINE_BYTES
            while line := await process.stdout.readline():
                self.log_lines.write(Text.from_ansi(line.decode(errors="replace").rstrip("\n")))
        code = await process.wait()
        self.log_lines.border_title = f"{self._title()}  ·  " + ("done" if code == 0 else f"exit code {code}")

    def on_unmount(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
