"""The terms of an order on the command line, and checks before it is sent.

The daemon repeats all checks. Only the daemon knows tokens that are not built in, so these are not checked here.
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
from orderd.domain.terms_checking import check_prices, check_side, check_wrapped
from orderd.domain.terms_given import PROTECTION, GivenTerms, Typed
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.well_known import EVERYWHERE

if TYPE_CHECKING:
    from typer._click import Context

    from orderd.wire.quotes import QuoteResult

Given = Mapping[str, Any]
"""The given terms by name."""
REQUIRED: Final = tuple(name for name, field in GivenTerms.model_fields.items() if field.is_required())
"""The required terms."""
AMOUNTS: Final = ("amount_in", "exact_out")
"""One of these is also required."""


@dataclass(frozen=True, slots=True)
class TermsLayout:
    """How terms are given on a command line: ``places`` are positional arguments, all others are options.

    ``named`` are required options with other names; ``without`` are terms that the command does not accept.
    """

    places: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


class TradeCommand(Command):
    """Parses ``-1`` as an argument and not as an option, so that a negative amount gets the error about amounts."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(arg[:1] == "-" and arg[1:2] in _STARTS_A_NUMBER for arg in args)
        return super().parse_args(ctx, args)


_STARTS_A_NUMBER = frozenset("0123456789.")


def typed_as(name: str) -> Typed:
    """The command-line form of a term."""
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
    layout: TermsLayout = SELLING, *, is_optional: bool = False
) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    """A decorator that replaces the parameter ``given`` of a command by an argument or option for each term.

    With ``also_none``, the arguments are optional.
    """

    def command_of(run: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(run).parameters.values():
            parameters += _typed(layout, is_optional=is_optional) if own.name == "given" else [own]

        @wraps(run)
        def command(**values: Any) -> ExitCode:  # noqa: ANN401  (the command's parameters)
            terms = {name: values.pop(name) for name in GivenTerms.model_fields if name in values}
            return run(given={name: value for name, value in terms.items() if value is not None}, **values)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by Typer
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return command_of


def _typed(layout: TermsLayout, *, is_optional: bool) -> Iterator[inspect.Parameter]:
    for name, term in GivenTerms.model_fields.items():
        if name in layout.without:
            continue
        typed = typed_as(name)
        if name in layout.places:
            # An amount is required only if no option can replace it.
            is_due = not is_optional and (name in REQUIRED or layout is BUYING)
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
    """Check the terms. Raises OrderdError with the same code and text as the daemon:

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
    """The limit of a quote, as a term of the order that is sent for it."""
    return {"min_out": quote.min_amount_out} if quote.exact_out is None else {"max_in": quote.max_amount_in}


def rests(given: GivenTerms) -> bool:
    """Whether the order waits for a price and is not executed at once. Raises what ``check`` raises."""
    meant = check_prices(given)
    return meant["kind"] is not OrderKind.MARKET and meant["time_in_force"] in (None, TimeInForce.GTC)


def is_sale(token_in: str, token_out: str) -> bool:
    """Whether the sold token is the base token of the pair, so that the price is received per sold token; false if
    unknown."""
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
        # Only the daemon knows the decimals of an unknown token.
        if decimals is not None or error.code is not ErrorCode.AMOUNT_TOO_PRECISE:
            raise
