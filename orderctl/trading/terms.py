"""A trade as it is typed, checked for what is certainly wrong before anything is sent.

The daemon checks all of it again, and it alone knows every token; so a token that is not built in is left to it.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.core import TyperCommand

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import parse_amount, parse_slippage_bps
from orderd.domain.tokens import TokenRegistry

if TYPE_CHECKING:
    from typer._click import Context

TOKEN_IN: Final = typer.Argument(metavar="TOKEN_IN", help="What to sell: a symbol or a mint address.")
TOKEN_OUT: Final = typer.Argument(metavar="TOKEN_OUT", help="What to buy.")
AMOUNT: Final = typer.Argument(metavar="AMOUNT", help="How much of TOKEN_IN to sell, like 1.5.")
Slippage = Annotated[
    str | None,
    typer.Option("--slippage", "-s", metavar="PERCENT", help="How much less than quoted to accept, like 0.5."),
]


class TradeCommand(TyperCommand):
    """Takes ``-1`` for an amount, so that a negative one meets the error about amounts, not one about options."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(arg[:1] == "-" and arg[1:2] in _STARTS_A_NUMBER for arg in args)
        return super().parse_args(ctx, args)


_STARTS_A_NUMBER = frozenset("0123456789.")


def check(token_in: str, token_out: str, amount: str, slippage: str | None) -> None:
    """Raises OrderdError with the code and the words of the daemon: TOKEN_SAME, AMOUNT_*, SLIPPAGE_OUT_OF_RANGE."""
    registry = TokenRegistry()
    try:
        registry.pair(token_in, token_out)
    except OrderdError as error:
        if error.code is not ErrorCode.TOKEN_UNKNOWN:
            raise
    _check_amount(registry, token_in, amount)
    if slippage is not None:
        parse_slippage_bps(slippage)


def _check_amount(registry: TokenRegistry, token: str, amount: str) -> None:
    try:
        decimals = registry.resolve(token).decimals
    except OrderdError:
        decimals = None
    try:
        parse_amount(amount, decimals or 0)
    except OrderdError as error:
        # How many decimals an unknown token has is the daemon's to know.
        if decimals is not None or error.code is not ErrorCode.AMOUNT_TOO_PRECISE:
            raise
