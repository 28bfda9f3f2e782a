"""The command line that opens with a colon."""

import pytest

from orderctl.tui.command_line import Mistake, Place, Verb, completions, understood


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", None),
        ("quote SOL USDC 1.5", Verb(("quote", "SOL", "USDC", "1.5"), changes=False)),
        ("submit SOL USDC 1.5", Verb(("submit", "SOL", "USDC", "1.5"), changes=True)),
        ("submit --help", Verb(("submit", "--help"), changes=False)),
        ("tokens search bonk", Verb(("tokens", "search", "bonk"), changes=False)),
        ("tokens pin SOL", Verb(("tokens", "pin", "SOL"), changes=True)),
        ("pnl", Place("profit")),
        ("pnl --unit SOL", Verb(("pnl", "--unit", "SOL"), changes=False)),
        ("q", Place("quit")),
        ("venues", Place("venues")),
        ("submti SOL", Mistake("there is no command 'submti'; did you mean submit?")),
        ("tui", Mistake("the full screen is already open")),
        ("list 'open", Mistake("No closing quotation")),
    ],
)
def test_a_line_is_a_verb_a_screen_or_an_error(line: str, wanted: object) -> None:
    assert understood(line) == wanted


def test_completions_are_whole_lines_and_include_screens() -> None:
    asked: list[tuple[tuple[str, ...], str]] = []

    def complete(before: "list[str]", present: str) -> "list[tuple[str, str]]":
        asked.append((tuple(before), present))
        return [("submit", "Sell."), ("status", "How it is."), ("tui", "This.")] if not before else [("SOL", "Solana")]

    assert [line for line, _ in completions("", complete)][:3] == ["depth", "orders", "profit"]  # type: ignore[arg-type]
    assert completions("su", complete) == [("submit", "Sell.")]  # type: ignore[arg-type]
    assert completions("quote  S", complete) == [("quote  SOL", "Solana")]  # type: ignore[arg-type]
    assert asked[-1] == (("quote",), "S")
