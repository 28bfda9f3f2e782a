"""Describes tokens before a trade: their mints and warnings."""

from collections.abc import Iterable

from rich.text import Text

from orderctl.output.colours import Tone
from orderd.wire.tokens import TokenView


def about(tokens: Iterable[TokenView]) -> list[Text]:
    """For each token that is not built in: its mint, the name in the mint's metadata, and its warnings."""
    lines: list[Text] = []
    for token in tokens:
        if token.name is None and not token.warnings and token.symbol != token.mint:
            continue
        symbol = "" if token.symbol == token.mint else f"{token.symbol} is "
        called = "" if token.name is None else f", named {token.name!r} in its own metadata"
        lines.append(Text(f"{symbol}the mint {token.mint}{called}"))
        lines += [Text(f"  {warning.code}: {warning.detail}", Tone.WARNING) for warning in token.warnings]
    return lines
