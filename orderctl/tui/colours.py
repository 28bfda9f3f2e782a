"""The sixteen colours of a terminal, as a theme has them: what other verbs print too looks at home in every theme."""

from typing import Final

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

_NAMES: Final = ("surface", "text-error", "text-success", "text-warning", "text-primary", "text-accent", "text-primary")
"""The theme's names for black, red, green, yellow, blue, magenta and cyan."""


def terminal_theme(theme: Theme) -> TerminalTheme:
    """Each colour is the one that the theme writes texts in, so that all can be read on its background."""
    variables = theme.to_color_system().generate()

    def rgb(name: str) -> tuple[int, int, int]:
        return Color.parse(variables[name]).rgb

    return TerminalTheme(
        rgb("background"), rgb("foreground"), [*map(rgb, _NAMES), rgb("foreground"), rgb("foreground")]
    )
