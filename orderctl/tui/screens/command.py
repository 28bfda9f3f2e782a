"""The command line at the bottom of the screen."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from orderctl.output.colours import Tone
from orderctl.tui.command_line import Candidate, Complete, Mistake, Place, Verb, completions, understood

SHOWN = 8
"""Maximum number of visible completions."""
TYPING_SECONDS = 0.05


class CommandScreen(ModalScreen[Place | Verb]):
    """Returns the parsed command. Tab completes, and selects the next completion."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", id="close-command"),
        Binding("tab", "complete(1)", "Complete", priority=True, id="complete"),
        Binding("shift+tab", "complete(-1)", "Complete back", show=False, priority=True, id="complete-back"),
        Binding("up", "recall(-1)", "Before", show=False, id="command-before"),
        Binding("down", "recall(1)", "After", show=False, id="command-after"),
    ]
    line = getters.query_one("#line", Input)
    offers = getters.query_one("#offers", Static)

    def __init__(self, history: list[str], complete: Complete, begun: str = "") -> None:
        """``history`` are earlier lines, newest last; the new line is appended. ``begun`` is what the line contains at
        first."""
        super().__init__()
        self._history = history
        self._complete = complete
        self._begun = begun
        self._recalled = len(history)
        self._found: Sequence[Candidate] = ()
        self._found_for = ""
        """The line that the completions belong to."""
        self._chosen = -1
        self._requested = 0
        """The steps of a Tab that was pressed before the completions were available; they are made later."""

    def compose(self) -> ComposeResult:
        with Vertical(id="command"):
            yield Static(id="offers")
            with Horizontal():
                yield Label(":")
                yield Input(
                    self._begun,
                    id="line",
                    select_on_focus=False,
                    compact=True,
                    placeholder="a command, such as: quote SOL USDC 1.5",
                )

    def on_mount(self) -> None:
        self._complete_line(self._begun)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if self._chosen >= 0 and event.value == self._found[self._chosen][0]:
            return  # the change was made by a completion
        self._requested = 0
        self._complete_line(event.value)

    @work(exclusive=True, exit_on_error=False)
    async def _complete_line(self, typed: str) -> None:
        await asyncio.sleep(TYPING_SECONDS if typed else 0)
        self._found, self._chosen = await asyncio.to_thread(completions, typed, self._complete), -1
        self._found_for = typed
        self._show()
        if self._requested:
            self.action_complete(self._requested)

    def _show(self) -> None:
        first = max(0, min(self._chosen, len(self._found) - SHOWN))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(style="dim")
        for number, (word, meaning) in enumerate(self._found[first : first + SHOWN], start=first):
            tone = Tone.MOVING.bold if number == self._chosen else ""
            # If there is not enough room, the description is cut, not the word.
            table.add_row(Text(word, tone), Text(meaning, no_wrap=True, overflow="ellipsis"))
        self.offers.display = bool(self._found)
        self.offers.update(table)

    def action_complete(self, steps: int) -> None:
        if self._chosen < 0 and self.line.value != self._found_for:
            self._requested = steps  # the completions belong to an older line
            return
        if not self._found:
            return
        self._chosen = (self._chosen + steps) % len(self._found) if self._chosen >= 0 else 0 if steps > 0 else -1
        word = self._found[self._chosen][0]
        if len(self._found) == 1:
            self.line.value = f"{word} "
        else:
            self._chosen %= len(self._found)
            self.line.value = word
            self._show()
        self.line.cursor_position = len(self.line.value)

    def action_recall(self, steps: int) -> None:
        self._recalled = max(0, min(len(self._history), self._recalled + steps))
        self.line.value = [*self._history, ""][self._recalled]
        self.line.cursor_position = len(self.line.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        match understood(event.value):
            case None:
                self.dismiss(None)
            case Mistake(message):
                self.offers.display = True
                self.offers.update(Text(message, Tone.WARNING))
            case wanted:
                self._history.append(event.value)
                self.dismiss(wanted)
