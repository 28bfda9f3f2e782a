"""orderctl submit"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import Settings, settings_of
from orderctl.display.formats import counted
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, narrate
from orderctl.trading.again import same_command
from orderctl.trading.batch import submit_all
from orderctl.trading.orders_file import read_orders
from orderctl.trading.placing import DryRun, Watch, Yes, may_trade, place, watches
from orderctl.trading.terms import (
    AMOUNTS,
    REQUIRED,
    SELLING,
    Given,
    TradeCommand,
    is_sale,
    rests,
    takes_terms,
    typed_as,
)
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.money import parse_amount_word
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.terms_given import LIMIT_ORDERS, LIQUIDITY
from orderd.wire.submissions import SubmitParams

COMMAND_CLASS = TradeCommand


@takes_terms(is_optional=True)
def run(
    ctx: typer.Context,
    given: Given,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Submit the orders in a CSV or JSON file; - is stdin."),
    ] = None,
    watch: Watch = None,
    client_order_id: Annotated[
        str | None,
        typer.Option(
            "--client-order-id",
            metavar="ID",
            help="Your own id; the same id never creates a second order. With --file, the prefix of all ids.",
        ),
    ] = None,
    dry_run: DryRun = False,
    ioc: Annotated[
        bool,
        typer.Option(
            "--ioc", help="The same as --time-in-force ioc: fill at once, or end.", rich_help_panel=LIMIT_ORDERS
        ),
    ] = False,
    on_liquidity: Annotated[
        bool,
        typer.Option(
            "--on-liquidity", help="Buy as soon as the pair's pools have enough liquidity.", rich_help_panel=LIQUIDITY
        ),
    ] = False,
    max_price: Annotated[
        str | None,
        typer.Option("--max-price", metavar="PRICE", help="The maximum price to pay.", rich_help_panel=LIQUIDITY),
    ] = None,
    fok: Annotated[
        bool,
        typer.Option(
            "--fok",
            help="The same as --time-in-force fok: fill completely at once, or end.",
            rich_help_panel=LIMIT_ORDERS,
        ),
    ] = False,
    yes: Yes = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Sell an amount of one token for another.

    \b
    orderctl submit SOL USDC 1.5                          now, at the best price
    orderctl submit SOL USDC 1.5 --limit 105              at 105 USDC per SOL or better
    orderctl submit SOL USDC 1.5 --limit 100 --ioc        now at 100 or better, or not at all
    orderctl submit SOL USDC 1.5 --stop 95                when the price has fallen to 95
    orderctl submit SOL USDC 1.5 --stop 95 --limit 94.5   the same, and never for less than 94.5
    orderctl submit SOL USDC 1.5 --take-profit 120        when the price has risen to 120
    orderctl submit SOL USDC 1.5 --trail 3%               when the price is 3 % below its highest
    orderctl submit USDC SOL 150 --limit 95               buys when SOL costs 95 USDC or less
    orderctl submit SOL USDC 500 --limit 105 --partial    in parts, whenever a part gets 105
    orderctl submit SOL USDC 15 --twap 10 --over 5m       in ten executions within five minutes
    orderctl submit USDC SOL 240 --twap 24 --every 1h     buys for 10 USDC every hour, for a day
    orderctl submit USDC MINT 100 --on-liquidity --max-price 0.01 --min-liquidity 5000
                                                          as soon as its pools have enough liquidity
    orderctl submit USDC SOL 150 --limit 95 --then-take-profit 120 --then-stop 90
                                                          then sells the bought SOL at either price

    A price is in USDC, or else in SOL, per unit of the other token, whichever of them is sold. An order with a price
    rests until the market meets the price, it is cancelled, or it expires (--valid-for, --expires).

    Except on simnet, the command shows the prices and asks for confirmation; without a terminal, --yes is required. The
    minimum that it shows is sent as --min-out. The client order id is printed before the order is sent. If there is no
    response, look the order up by this id, or submit it again with --client-order-id: it cannot be executed twice.

    A file has the columns token_in, token_out, amount_in or exact_out, and optionally slippage, min_out, max_in,
    max_cost, floor, use_wrapped, type, limit_price, stop_price, take_profit_price, trail, min_liquidity, max_pool_fee,
    max_round_trip_loss, max_holder, allow, max_slippage, confirm, confirm_for, time_in_force, partial, min_fill,
    slices, over, every, jitter, catch_up, then_take_profit, then_stop, valid_for, expires and client_order_id. The
    whole file is checked before the first order is sent. If the same file is submitted again with the same
    --client-order-id, only orders that were not accepted before are created.
    """
    settings = settings_of(ctx, output)
    given = _with_price(_with_flags(given, ioc=ioc, fok=fok), max_price, on_liquidity=on_liquidity)
    follow = watches(output, watch, dry_run=dry_run)
    own_id = client_order_id or str(uuid7())
    if file is not None:
        if dry_run or not given.keys().isdisjoint({*REQUIRED, *AMOUNTS}):
            why = "--file cannot be combined with tokens, amounts or --dry-run"
            raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
        again = same_command(ctx, client_order_id=own_id)
        return _submit_file(settings, file, given, own_id, again, output, yes=yes, follow=follow)
    if not given.keys() >= {*REQUIRED} or given.keys().isdisjoint(AMOUNTS):
        *others, last = (typed_as(name).metavar for name in SELLING.places)
        why = f"{', '.join(others)} and {last} are required"
        raise ConfigError("The command line cannot be understood", why, "see: orderctl submit --help")
    order = params_of(SubmitParams, **given, client_order_id=own_id)
    return place(ctx, settings, order, output, dry_run=dry_run, yes=yes, follow=follow)


def _with_flags(given: Given, *, ioc: bool, fok: bool) -> Given:
    """Add the time in force. Raises ConfigError if the flags contradict each other or ``--time-in-force``."""
    flags = [tif for tif, is_given in ((TimeInForce.IOC, ioc), (TimeInForce.FOK, fok)) if is_given]
    if not flags:
        return given
    if len({*flags, given.get("time_in_force", flags[0])}) > 1:
        why = "an order has one time in force: --ioc, --fok or --time-in-force"
        raise ConfigError("The options contradict each other", why, "give one of them")
    return {**given, "time_in_force": flags[0]}


def _with_price(given: Given, max_price: str | None, *, on_liquidity: bool) -> Given:
    """Add the terms of an order on liquidity. Raises ConfigError if ``max_price`` is given for another kind or a
    sale."""
    if on_liquidity:
        given = {**given, "type": given.get("type", OrderKind.ON_LIQUIDITY)}
    if max_price is None:
        return given
    why = None
    if given.get("type") is not OrderKind.ON_LIQUIDITY:
        why = "--max-price needs --on-liquidity"
    elif given.get("limit_price") is not None:
        why = "--max-price and --limit are the same for an order on liquidity"
    elif is_sale(given.get("token_in", ""), given.get("token_out", "")):
        why = "an order that sells for the pair's quote token has a minimum price: use --limit"
    if why is not None:
        raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
    return {**given, "limit_price": max_price}


def _submit_file(
    settings: Settings, file: str, given: Given, batch: str, again: str, output: Format, *, yes: bool, follow: bool
) -> ExitCode:
    """``batch`` is the prefix of the client order ids of orders without one."""
    orders = read_orders(file, given, batch)
    with Client(settings) as client:
        resting = sum(rests(order) for order in orders)
        rest = f"; {resting} of them resting until the market meets the price" if resting else ""
        question = f"send {counted(len(orders), 'order')}: {_sums(orders)}{rest}?"
        if not (yes or may_trade(client, settings, question)):
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        if any(order.client_order_id.startswith(f"{batch}-") for order in orders):
            narrate(settings, f"client order ids {batch}-1, -2, ... by position in the file")
        return submit_all(client, settings, orders, output, again, watches=follow)


def _sums(orders: Iterable[SubmitParams]) -> str:
    """The total amounts of orders per token: ``sell 3 SOL and 250 USDC, and buy 1.5 SOL``."""
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
