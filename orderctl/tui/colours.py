"""The colours of a theme as the TUI uses them: every text can be read on its background, in every theme.

The muted and some of the coloured texts of several themes, above all of light ones, have less contrast than people with
low vision need (WCAG 2.2, success criterion 1.4.3).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from rich.color import Color as TerminalColor
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

_NAMES: Final = ("surface", "text-error", "text-success", "text-warning", "text-primary", "text-accent", "text-primary")
"""The theme's names for black, red, green, yellow, blue, magenta and cyan."""
_TEXTS: Final = ("foreground-muted", *_NAMES[1:])
MIN_CONTRAST: Final = 4.5
_DIM: Final = 0.66
"""The part of its colour that a dim text keeps, if it remains readable."""
_CURSOR: Final = 0.2
"""The part of the primary colour in the line under the cursor."""


def readable_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a theme with readable text colours, and ``cursor-line``, the background of the line under the
    cursor, on which they are readable too."""
    background, foreground = (Color.parse(variables[name]) for name in ("background", "foreground"))
    cursor = background.blend(Color.parse(variables["primary"]), _CURSOR)
    readable = {}
    for name in _TEXTS:
        text = Color.parse(variables[name])
        opaque = background.blend(text, text.a).with_alpha(1)
        readable[name] = _readable(opaque, foreground, cursor).hex
    return {**variables, **readable, "cursor-line": cursor.hex}


def terminal_theme(theme: Theme) -> TerminalTheme:
    """Maps the sixteen terminal colours to the theme, so that output of other commands fits every theme."""
    variables = readable_variables(theme.to_color_system().generate())

    def rgb(name: str) -> tuple[int, int, int]:
        return Color.parse(variables[name]).rgb

    return TerminalTheme(
        rgb("background"), rgb("foreground"), [*map(rgb, _NAMES), rgb("foreground"), rgb("foreground")]
    )


class ReadableDim(LineFilter):
    """Blends dim texts into their background, but only as far as they can be read."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        behind = background.rich_color
        return [
            Segment(text, _undimmed(style, behind), control) if style is not None and style.dim else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


@lru_cache(1024)
def _undimmed(style: Style, behind: TerminalColor) -> Style:
    text, background = style.color, style.bgcolor or behind
    if text is None or text.triplet is None or background.triplet is None:
        return style  # the terminal's own colours
    whole, below = Color.from_rich_color(text), Color.from_rich_color(background)
    return style + Style(color=_readable(below.blend(whole, _DIM), whole, below).rich_color, dim=False)


def _readable(text: Color, towards: Color, background: Color) -> Color:
    """The text colour, blended with ``towards`` as far as readability requires."""
    shades = (text.blend(towards, tenths / 10) for tenths in range(10))
    return next((shade for shade in shades if contrast(shade, background) >= MIN_CONTRAST), towards)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours, from 1 to 21, as defined by WCAG 2.2."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
