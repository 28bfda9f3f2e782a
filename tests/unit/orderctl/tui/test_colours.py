"""Every text of the TUI can be read in every theme."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from orderctl.tui.colours import MIN_CONTRAST, ReadableDim, contrast, readable_variables, terminal_theme

THEMES = [theme for theme in BUILTIN_THEMES.values() if not theme.ansi]
each_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
TEXTS = ("foreground-muted", "text-error", "text-success", "text-warning", "text-primary", "text-accent")


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@each_theme
def test_texts_are_readable_also_under_the_cursor(theme: Theme) -> None:
    variables = readable_variables(theme.to_color_system().generate())
    background, foreground, cursor = (
        Color.parse(variables[name]) for name in ("background", "foreground", "cursor-line")
    )
    most = min(MIN_CONTRAST, contrast(foreground, cursor))  # solarized's own text has no more
    for name in TEXTS:
        text = Color.parse(variables[name])
        assert contrast(text, cursor) >= most - 0.01, name
        assert contrast(text, background) >= most - 0.01, name


@each_theme
def test_dim_texts_are_readable(theme: Theme) -> None:
    shown = terminal_theme(theme)
    text, background = Color(*shown.foreground_color), Color(*shown.background_color)
    dim = Segment("5 s", Style(color=text.rich_color, dim=True))
    ((_, style, _),) = ReadableDim().apply([dim], background)
    assert style is not None
    assert style.color is not None
    assert not style.dim
    least = min(MIN_CONTRAST, contrast(text, background))
    assert contrast(Color.from_rich_color(style.color), background) >= least


def test_colours_of_the_terminal_stay_dim() -> None:
    dim = Segment("5 s", Style(color="blue", dim=True))
    assert ReadableDim().apply([dim, Segment("x")], Color.parse("black")) == [dim, Segment("x")]
