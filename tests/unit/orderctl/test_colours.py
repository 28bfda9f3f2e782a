"""One table of colours: everything shown in a colour is in it, and no colour is defined elsewhere."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from rich.style import Style

import orderctl
from orderctl.output.colours import (
    CHAIN_BADGES,
    CHAIN_TONES,
    CHECK_TONES,
    OUTCOME_TONES,
    STATE_TONES,
    CheckResult,
    Tone,
)
from orderd.domain.order import OrderStatus
from orderd.wire.order_detail import AttemptOutcome
from orderd.wire.status import StatusResult

PACKAGE = Path(orderctl.__path__[0])
COLOUR = re.compile(r"(bold )?(bright_)?(black|red|green|yellow|blue|magenta|cyan|white|#[0-9a-f]{6})( on .*)?")


def test_everything_shown_in_a_colour_has_one() -> None:
    assert STATE_TONES.keys() == {*OrderStatus}
    assert OUTCOME_TONES.keys() == {*get_args(AttemptOutcome)}
    assert CHECK_TONES.keys() == {*get_args(CheckResult)}
    chains = {*get_args(StatusResult.model_fields["chain"].annotation)}
    assert CHAIN_TONES.keys() == CHAIN_BADGES.keys() == chains


@pytest.mark.parametrize("style", [*Tone, *(tone.bold for tone in Tone), *CHAIN_BADGES.values()])
def test_a_tone_is_a_style_of_rich(style: str) -> None:
    assert Style.parse(style)


def test_the_tui_has_a_colour_for_each_tone() -> None:
    rules = re.findall(r"\.order-table--(\w+) {", (PACKAGE / "tui" / "orderctl.tcss").read_text())
    assert {tone.role for tone in Tone} <= {*rules}


def test_no_colour_is_defined_outside_of_the_table() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "colours.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and COLOUR.fullmatch(node.value)
    ]
    assert found == []
