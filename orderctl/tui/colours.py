"""Maps the sixteen terminal colours to a theme, so that output of other commands fits every theme."""

from typing import Final

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

_NAMES: Final = ("surface", "text-error", "text-success", "text-warning", "text-primary", "text-accent", "text-primary")
"""The theme's names for black, red, green, yellow, blue, magenta and cyan."""


def terminal_theme(theme: Theme) -> TerminalTheme:
    """The theme's text colours, which are readable on its background."""
    variables = theme.to_color_system().generate()

    def rgb(name: str) -> tuple[int, int, int]:
        return Color.parse(variables[name]).rgb

    return TerminalTheme(
        rgb("background"), rgb("foreground"), [*map(rgb, _NAMES), rgb("foreground"), rgb("foreground")]
    )
