"""orderctl submit"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import Settings, settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, narrate
from orderctl.trading.again import same_command
from orderctl.trading.batch import submit_all
from orderctl.trading.orders_file import read_orders
from orderctl.trading.placing import DryRun, Watch, Yes, may_trade, place, watches
from orderctl.trading.terms import AMOUNTS, DUE, SELLING, Given, TradeCommand, is_sale, rests, takes_terms, typed_as
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.money import parse_amount_word
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.terms_given import LIMIT_ORDERS, LIQUIDITY
from orderd.wire.submissions import SubmitParams

COMMAND_CLASS = TradeCommand


@takes_terms(also_none=True)
def run(
    ctx: typer.Context,
    given: Given,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Orders from a file, CSV or JSON; - is stdin."),
    ] = None,
    watch: Watch = None,
    client_order_id: Annotated[
        str | None,
        typer.Option(
            "--client-order-id",
            metavar="ID",
            help="Your own id; the same id never makes a second order. With --file, how all ids begin.",
        ),
    ] = None,
    dry_run: DryRun = False,
    ioc: Annotated[
        bool,
        typer.Option("--ioc", help="As --time-in-force ioc: fill it at once, or end it.", rich_help_panel=LIMIT_ORDERS),
    ] = False,
    on_liquidity: Annotated[
        bool,
        typer.Option(
            "--on-liquidity", help="Buy as soon as the pools of the pair hold enough.", rich_help_panel=LIQUIDITY
        ),
    ] = False,
    max_price: Annotated[
        str | None,
        typer.Option("--max-price", metavar="PRICE", help="The highest price to pay.", rich_help_panel=LIQUIDITY),
    ] = None,
    fok: Annotated[
        bool,
        typer.Option(
            "--fok", help="As --time-in-force fok: all of it at once, or nothing.", rich_help_panel=LIMIT_ORDERS
        ),
    ] = False,
    yes: Yes = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Sell an amount of one token for another.

    \b
    orderctl submit SOL USDC 1.5                          now, at the best price
    orderctl submit SOL USDC 1.5 --limit 105              when it pays 105 USDC per SOL, and never for less
    orderctl submit SOL USDC 1.5 --limit 100 --ioc        now at 100 or better, or not at all
    orderctl submit SOL USDC 1.5 --stop 95                when the price has come down to 95
    orderctl submit SOL USDC 1.5 --stop 95 --limit 94.5   the same, and never for less than 94.5
    orderctl submit SOL USDC 1.5 --take-profit 120        when it pays 120, then at the best price
    orderctl submit SOL USDC 1.5 --trail 3%               when the price is 3 % behind its best one
    orderctl submit USDC SOL 150 --limit 95               buys: when SOL costs 95 USDC or less
    orderctl submit SOL USDC 500 --limit 105 --partial    what pays 105, part by part
    orderctl submit USDC MINT 100 --on-liquidity --max-price 0.01 --min-liquidity 5000
                                                          as soon as its pools have enough liquidity
    orderctl submit SOL USDC 15 --twap 10 --over 5m       in ten executions within five minutes
    orderctl submit USDC SOL 240 --twap 24 --every 1h     buys for 10 USDC every hour, a day long
    orderctl submit USDC SOL 150 --limit 95 --then-take-profit 120 --then-stop 90
                                                          and sells what it has bought at either price

    A price is in USDC, or else in SOL, per unit of the other token, whichever of them is sold. An order with a price
    rests until the market meets it, it is cancelled, or it expires (--valid-for, --expires).

    Except on simnet it shows the prices and asks first; without a terminal to ask on, --yes is needed. The minimum
    that it shows is sent as --min-out. It prints the order's client id before it sends the order. If no answer comes,
    look the order up by that id, or send it again with --client-order-id: it cannot be executed twice.

    A file has the columns token_in, token_out, amount_in or exact_out and optionally slippage, min_out, max_in,
    max_cost, floor, use_wrapped, type, limit_price, stop_price, take_profit_price, trail, min_liquidity, max_pool_fee,
    max_round_trip_loss, max_holder, allow, max_slippage, confirm, confirm_for, time_in_force, partial, min_fill,
    slices, over, every, jitter, catch_up, then_take_profit, then_stop, valid_for, expires and client_order_id. The
    whole file is checked before its first order is sent. The same file with the same --client-order-id sends only what
    was not sent yet.
    """
    settings = settings_of(ctx, output)
    given = _with_price(_with_flags(given, ioc=ioc, fok=fok), max_price, on_liquidity=on_liquidity)
    follow = watches(output, watch, dry_run=dry_run)
    own_id = client_order_id or str(uuid7())
    if file is not None:
        if dry_run or not given.keys().isdisjoint({*DUE, *AMOUNTS}):
            why = "a file brings tokens and amounts of its own, and has no dry run"
            raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
        again = same_command(ctx, client_order_id=own_id)
        return _submit_file(settings, file, given, own_id, again, output, yes=yes, follow=follow)
    if not given.keys() >= {*DUE} or given.keys().isdisjoint(AMOUNTS):
        *others, last = (typed_as(name).metavar for name in SELLING.places)
        why = f"{', '.join(others)} and {last} are required"
        raise ConfigError("The command line cannot be understood", why, "see: orderctl submit --help")
    order = params_of(SubmitParams, **given, client_order_id=own_id)
    return place(ctx, settings, order, output, dry_run=dry_run, yes=yes, follow=follow)


def _with_flags(given: Given, *, ioc: bool, fok: bool) -> Given:
    """Raises ConfigError where they contradict each other or ``--time-in-force``."""
    flags = [tif for tif, is_given in ((TimeInForce.IOC, ioc), (TimeInForce.FOK, fok)) if is_given]
    if not flags:
        return given
    if len({*flags, given.get("time_in_force", flags[0])}) > 1:
        why = "an order has one time in force: --ioc, --fok or --time-in-force"
        raise ConfigError("The options contradict each other", why, "give one of them")
    return {**given, "time_in_force": flags[0]}


def _with_price(given: Given, max_price: str | None, *, on_liquidity: bool) -> Given:
    """Raises ConfigError if the price belongs to another kind, or to a sale."""
    if on_liquidity:
        given = {**given, "type": given.get("type", OrderKind.ON_LIQUIDITY)}
    if max_price is None:
        return given
    why = None
    if given.get("type") is not OrderKind.ON_LIQUIDITY:
        why = "--max-price goes with --on-liquidity"
    elif given.get("limit_price") is not None:
        why = "--max-price is the --limit of an order on liquidity"
    elif is_sale(given.get("token_in", ""), given.get("token_out", "")):
        why = "an order that sells for the pair's quote token has a lowest price: --limit"
    if why is not None:
        raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
    return {**given, "limit_price": max_price}


def _submit_file(
    settings: Settings, file: str, given: Given, batch: str, again: str, output: Format, *, yes: bool, follow: bool
) -> ExitCode:
    """``batch`` is the prefix of the ids of orders that have no id of their own."""
    orders = read_orders(file, given, batch)
    with Client(settings) as client:
        resting = sum(rests(order) for order in orders)
        rest = f"; {resting} of them rest until the market meets the price" if resting else ""
        if not (yes or may_trade(client, settings, f"send {len(orders)} orders, which {_sums(orders)}{rest}?")):
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        if any(order.client_order_id.startswith(f"{batch}-") for order in orders):
            narrate(settings, f"client order ids {batch}-1, -2, ... by the place in the file")
        return submit_all(client, settings, orders, output, again, watches=follow)


def _sums(orders: Iterable[SubmitParams]) -> str:
    """What orders sell and buy together, token by token: ``sell 3 SOL and 250 USDC, and buy 1.5 SOL``."""
    sold: dict[str, Decimal] = {}
    bought: dict[str, Decimal] = {}
    words = []
    for order in orders:
        if order.amount_in is not None and (word := parse_amount_word(order.amount_in)) is not None:
            words.append(f"{word} of {order.token_in}")
        elif order.amount_in is not None:
            sold[order.token_in] = sold.get(order.token_in, Decimal(0)) + Decimal(order.amount_in)
        if order.exact_out is not None:
            bought[order.token_out] = bought.get(order.token_out, Decimal(0)) + Decimal(order.exact_out)
    parts = [
        f"{verb} {' and '.join(amounts)}"
        for verb, amounts in (("sell", [*_each(sold), *words]), ("buy", _each(bought)))
        if amounts
    ]
    return ", and ".join(parts)


def _each(sums: dict[str, Decimal]) -> list[str]:
    return [f"{amount:f} {token}" for token, amount in sums.items()]
