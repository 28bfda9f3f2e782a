"""A trade as it is typed, checked for what is certainly wrong before anything is sent.

The daemon checks all of it again, and it alone knows every token; so a token that is not built in is left to it.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import typer

from orderctl.output.exit_codes import ExitCode
from orderd.command_line import Command
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS, parse_amount, parse_amount_word, parse_cost_bps, parse_slippage_bps
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.price import PairPrice
from orderd.domain.terms_given import PROTECTION, GivenTerms, Typed
from orderd.domain.terms_parsing import check_prices, check_side, check_wrapped
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.well_known import EVERYWHERE

if TYPE_CHECKING:
    from typer._click import Context

    from orderd.wire.quotes import QuoteResult

Given = Mapping[str, Any]
"""The terms that were typed, by their names."""
DUE: Final = tuple(name for name, field in GivenTerms.model_fields.items() if field.is_required())
"""The terms that an order cannot do without."""
AMOUNTS: Final = ("amount_in", "exact_out")
"""One of these is due as well."""


@dataclass(frozen=True, slots=True)
class TermsLayout:
    """How the terms stand on a command line: some by their ``places``, the others as options of their names.

    ``named`` are options of other names, which are due, ``without`` terms that mean nothing there.
    """

    places: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


class TradeCommand(Command):
    """Takes ``-1`` for an amount, so that a negative one meets the error about amounts, not one about options."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(arg[:1] == "-" and arg[1:2] in _STARTS_A_NUMBER for arg in args)
        return super().parse_args(ctx, args)


_STARTS_A_NUMBER = frozenset("0123456789.")


def typed_as(name: str) -> Typed:
    """How the term is typed."""
    (typed,) = (each for each in GivenTerms.model_fields[name].metadata if isinstance(each, Typed))
    return typed


SELLING: Final = TermsLayout(tuple(name for name in GivenTerms.model_fields if typed_as(name).heading is None))
_OF_SALES: Final = (
    *("amount_in", "min_out", "type", "limit_price", "stop_price", "take_profit_price", "trail"),
    *("min_liquidity", "max_pool_fee", "max_round_trip_loss", "max_holder", "allow"),
    *("max_slippage", "confirm", "confirm_for", "time_in_force"),
    *("partial", "min_fill", "slices", "over", "every", "jitter", "catch_up"),
)
BUYING: Final = TermsLayout(("token_out", "exact_out"), {"token_in": "--with"}, frozenset(_OF_SALES))


def takes_terms(
    layout: TermsLayout = SELLING, *, also_none: bool = False
) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    """Gives a command an argument or an option for each term, in the place of its parameter ``given``.

    ``also_none`` lets a command line do without any.
    """

    def command_of(run: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(run).parameters.values():
            parameters += _typed(layout, also_none=also_none) if own.name == "given" else [own]

        @wraps(run)
        def command(**values: Any) -> ExitCode:  # noqa: ANN401  (whatever the command's parameters are)
            terms = {name: values.pop(name) for name in GivenTerms.model_fields if name in values}
            return run(given={name: value for name, value in terms.items() if value is not None}, **values)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer looks at
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return command_of


def _typed(layout: TermsLayout, *, also_none: bool) -> Iterator[inspect.Parameter]:
    for name, term in GivenTerms.model_fields.items():
        if name in layout.without:
            continue
        typed = typed_as(name)
        if name in layout.places:
            # A term that another one may replace is required only if that one is not an option.
            is_due = not also_none and (name in DUE or layout is BUYING)
            shown: Any = typer.Argument(... if is_due else None, metavar=typed.metavar, help=typed.help)
        elif name in layout.named:
            flag = layout.named[name]
            shown = typer.Option(..., flag, metavar=typed.metavar, help=typed.help, rich_help_panel=PROTECTION)
        else:
            flags = [f"--{typed.option or name.replace('_', '-')}", *([typed.short] if typed.short else [])]
            shown = typer.Option(
                None, *flags, metavar=typed.metavar or None, help=typed.help, rich_help_panel=typed.heading
            )
        yield inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=shown, annotation=term.annotation
        )


def check(given: GivenTerms) -> None:
    """Raises OrderdError with the code and the words of the daemon.

    TOKEN_SAME, TOKEN_NOT_WRAPPED, AMOUNT_*, *_OUT_OF_RANGE, PRICE_INVALID, TIME_INVALID, ORDER_TERMS_CONTRADICT.
    """
    check_side(given)
    registry = TokenRegistry(EVERYWHERE)
    try:
        token_in, _ = registry.pair(given.token_in, given.token_out)
        check_wrapped(given, token_in)
    except OrderdError as error:
        if error.code not in (ErrorCode.TOKEN_UNKNOWN, ErrorCode.TOKEN_UNREAD):
            raise
    is_word = given.amount_in is not None and parse_amount_word(given.amount_in) is not None
    sold, bought = (None if is_word else given.amount_in, given.max_in), (given.exact_out, given.min_out)
    for token, amounts in ((given.token_in, sold), (given.token_out, bought)):
        for amount in amounts:
            if amount is not None:
                _check_amount(registry, token, amount)
    if given.slippage is not None:
        parse_slippage_bps(given.slippage)
    if given.max_cost is not None:
        parse_cost_bps(given.max_cost, BPS)
    check_prices(given)


def promised(quote: "QuoteResult") -> dict[str, str | None]:
    """What a quote promises, as a term of the order that is sent for it."""
    return {"min_out": quote.min_amount_out} if quote.exact_out is None else {"max_in": quote.max_amount_in}


def rests(given: GivenTerms) -> bool:
    """Whether such an order waits for the market, instead of being executed at once. Raises as ``check`` does."""
    meant = check_prices(given)
    return meant["kind"] is not OrderKind.MARKET and meant["time_in_force"] in (None, TimeInForce.GTC)


def is_sale(token_in: str, token_out: str) -> bool:
    """Whether the price is what is received for one of the token that is sold, as far as that is known here."""
    registry = TokenRegistry(EVERYWHERE)

    def known(name: str) -> Token:
        try:
            return registry.resolve(name)
        except OrderdError:
            return Token(name, name, 0)

    sold, bought = known(token_in), known(token_out)
    return {sold, bought}.isdisjoint(EVERYWHERE) is False and PairPrice(sold, bought).quote == bought


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
