"""orderctl submit"""

import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import Settings, settings_of
from orderctl.output.colours import Tone
from orderctl.output.documents import DryRun
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import agrees_to, can_ask
from orderctl.output.streams import OUTPUT, Format, console, has_colour, narrate, print_data, print_line
from orderctl.trading.again import same_command
from orderctl.trading.batch import print_taken, submit_all
from orderctl.trading.orders_file import read_orders
from orderctl.trading.sending import send
from orderctl.trading.terms import DUE, Given, TradeCommand, check, rests, takes_terms, typed_as
from orderctl.trading.watching import watch as follow_to_the_end
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.order import RESTING, TimeInForce
from orderd.wire import Method, NoParams, OrderView, PreviewResult, QuoteParams, QuoteResult, StatusResult, SubmitParams

COMMAND_CLASS = TradeCommand


@takes_terms(also_none=True)
def run(
    ctx: typer.Context,
    given: Given,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Orders from a file, CSV or JSON; - is stdin."),
    ] = None,
    watch: Annotated[
        bool | None,
        typer.Option("--watch/--no-watch", help="Follow to the end; on a terminal unless told otherwise."),
    ] = None,
    client_order_id: Annotated[
        str | None,
        typer.Option(
            "--client-order-id",
            metavar="ID",
            help="Your own id; the same id never makes a second order. With --file, how all ids begin.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the route and the chain's simulation; trade nothing.")
    ] = False,
    ioc: Annotated[
        bool, typer.Option("--ioc", help="As --time-in-force ioc: fill the limit order at once, or end it.")
    ] = False,
    fok: Annotated[bool, typer.Option("--fok", help="As --time-in-force fok: all of it at once, or nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also where the money is real.")] = False,
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

    A price is in USDC, else in SOL, for one of the other token, whichever of them is sold. An order that has one rests
    until the market meets it, is cancelled or expires (--valid-for, --expires).

    Except on simnet it shows the prices and asks first; without a terminal to ask on, --yes is needed. What it shows
    as the least is sent as --min-out. The order's client id is told before it is sent. When no answer comes, look it
    up under that id, or send it again with --client-order-id: it cannot be executed twice.

    A file has the columns token_in, token_out, amount_in and, where wanted, slippage, min_out, max_cost, floor,
    use_wrapped, type, limit_price, stop_price, take_profit_price, trail, max_slippage, confirm, confirm_for,
    time_in_force, valid_for, expires and client_order_id. It is checked as a whole before the first of its orders is
    sent. The same file with the same --client-order-id again sends what was not sent yet, and nothing twice.
    """
    settings = settings_of(ctx, output)
    given = _with_flags(given, ioc=ioc, fok=fok)
    watches = watch if watch is not None else output in ("table", "wide") and sys.stdout.isatty()
    if watches and output == "id":
        raise ConfigError("The options contradict each other", "-o id prints the id alone", "leave out --watch")
    if dry_run and output == "id":
        raise ConfigError("The options contradict each other", "a dry run makes no order", "leave out -o id")
    own_id = client_order_id or str(uuid7())
    if file is not None:
        if dry_run or not given.keys().isdisjoint(DUE):
            why = "a file brings tokens and amounts of its own, and has no dry run"
            raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
        again = same_command(ctx, client_order_id=own_id)
        return _submit_file(settings, file, given, own_id, again, output, yes=yes, watches=watches)
    if not given.keys() >= {*DUE}:
        *others, last = (typed_as(name).metavar for name in DUE)
        why = f"{', '.join(others)} and {last} are due"
        raise ConfigError("The command line cannot be understood", why, "see: orderctl submit --help")
    order = params_of(SubmitParams, **given, client_order_id=own_id)
    check(order)
    if dry_run:
        return _preview(settings, order, output)
    return submit_one(ctx, settings, order, output, yes=yes, watches=watches)


def _with_flags(given: Given, *, ioc: bool, fok: bool) -> Given:
    """Raises ConfigError where they contradict each other or ``--time-in-force``."""
    flags = [tif for tif, is_given in ((TimeInForce.IOC, ioc), (TimeInForce.FOK, fok)) if is_given]
    if not flags:
        return given
    if len({*flags, given.get("time_in_force", flags[0])}) > 1:
        why = "an order has one time in force: --ioc, --fok or --time-in-force"
        raise ConfigError("The options contradict each other", why, "give one of them")
    return {**given, "time_in_force": flags[0]}


def submit_one(
    ctx: typer.Context, settings: Settings, order: SubmitParams, output: Format, *, yes: bool, watches: bool
) -> ExitCode:
    """Send one order, after a question where money is at stake."""
    with Client(settings) as client:
        agreed = order if yes else _agreed(client, settings, order)
        if agreed is None:
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        narrate(settings, f"client order id {order.client_order_id}")
        # To be asked again would be to be promised something else: another order under the same id.
        promised = {} if agreed is order else {"min_out": agreed.min_out, "yes": True}
        try:
            result = send(client, agreed, same_command(ctx, client_order_id=order.client_order_id, **promised))
        except KeyboardInterrupt:
            narrate(settings, f"interrupted: the outcome is unknown; run: orderctl watch {order.client_order_id}")
            return ExitCode.INTERRUPTED
        if not result.created:
            narrate(settings, "this client order id was submitted before: here is that order, no second one was made")
        if watches:
            return follow_to_the_end(client, settings, [str(result.order.id)], output)
        print_taken(result, output)
        if output in ("table", "wide"):
            _tell_how_to_go_on(settings, result.order)
        return ExitCode.OK


def _tell_how_to_go_on(settings: Settings, order: OrderView) -> None:
    if order.status in RESTING:
        from orderctl.display.resting import reading, what_follows
        from orderctl.display.timeline import validity

        narrate(settings, f"it rests, and waits for {reading(order)}; then {what_follows(order)}")
        narrate(settings, f"it is valid {validity(order)}; cancel it with: orderctl cancel {order.id}")
    narrate(settings, f"follow it with: orderctl watch {order.id}")


def _submit_file(
    settings: Settings, file: str, given: Given, batch: str, again: str, output: Format, *, yes: bool, watches: bool
) -> ExitCode:
    """``batch`` is how the ids of orders begin that have none of their own."""
    orders = read_orders(file, given, batch)
    with Client(settings) as client:
        resting = sum(rests(order) for order in orders)
        rest = f"; {resting} of them rest until the market meets the price" if resting else ""
        if not (yes or _may_trade(client, settings, f"send {len(orders)} orders, which sell {_sums(orders)}{rest}?")):
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        if any(order.client_order_id.startswith(f"{batch}-") for order in orders):
            narrate(settings, f"client order ids {batch}-1, -2, ... by the place in the file")
        return submit_all(client, settings, orders, output, again, watches=watches)


def _may_trade(client: Client, settings: Settings, question: str) -> bool:
    """Asks whoever is there, unless nothing can be lost: on simnet. Ctrl-C is a no. Raises ConfigError as below."""
    try:
        chain = _chain_at_stake(client)
        return chain is None or _agrees(settings, chain, question)
    except KeyboardInterrupt:
        return False


def _agreed(client: Client, settings: Settings, order: SubmitParams) -> SubmitParams | None:
    """The order as it is agreed to, with what the quote promises at least, where one was shown. None is a no.

    An order that rests is sent as it is: what today's market promises would be a floor for another day. Raises
    ConfigError as below, and OrderdError where the daemon would refuse its prices.
    """
    try:
        chain = _chain_at_stake(client)
        if chain is None:
            return order
        from orderctl.display.quotes import quote_view
        from orderctl.display.tables import print_whole

        quote = _quote(client, order)
        if rests(order):
            from orderctl.display.prospect import check_fires_later, prospect_view

            check_fires_later(order, quote)
            print_whole(prospect_view(quote), console(settings, sys.stderr))
            return order if _agrees(settings, chain, "send this order?") else None
        print_whole(quote_view(quote), console(settings, sys.stderr))
        if _agrees(settings, chain, "send this order?"):
            return order.model_copy(update={"min_out": quote.min_amount_out})
    except KeyboardInterrupt:
        pass
    return None


def _quote(client: Client, order: SubmitParams) -> QuoteResult:
    terms = order.model_dump(exclude={"client_order_id"})
    return client.call(Method.QUOTE, params_of(QuoteParams, **terms), QuoteResult)


def _chain_at_stake(client: Client) -> str | None:
    """None on simnet. Raises ConfigError where money is at stake and nobody can be asked."""
    chain = client.call(Method.STATUS, NoParams(), StatusResult).chain
    if chain == "simnet":
        return None
    if not can_ask():
        why = f"the chain is {chain}, and there is no terminal to ask on; nothing was sent"
        raise ConfigError("To trade on a real chain needs a yes", why, "add --yes")
    return chain


def _agrees(settings: Settings, chain: str, question: str) -> bool:
    name = typer.style(chain, fg=Tone.BAD, bold=True) if has_colour(sys.stderr, settings.color) else chain
    return agrees_to(f"{name}: {question}")


def _sums(orders: Iterable[SubmitParams]) -> str:
    """What orders sell together, token by token: ``3 SOL and 250 USDC``."""
    sums: dict[str, Decimal] = {}
    for order in orders:
        sums[order.token_in] = sums.get(order.token_in, Decimal(0)) + Decimal(order.amount_in)
    return " and ".join(f"{amount:f} {token}" for token, amount in sums.items())


def _preview(settings: Settings, order: SubmitParams, output: Format) -> ExitCode:
    with Client(settings) as client:
        if rests(order) and order.slices is None:
            from orderctl.display.prospect import check_fires_later, is_met

            quote = _quote(client, order)
            check_fires_later(order, quote)
            if not is_met(quote):
                return _preview_of_rest(settings, quote, output)
        preview = client.call(Method.ORDER_PREVIEW, order, PreviewResult)
    if not print_data(output, DryRun(**dict(preview), would="execute")):
        from orderctl.display.quotes import preview_view
        from orderctl.display.tables import print_whole

        print_whole(preview_view(preview, wide=output == "wide"), console(settings))
        if order.limit_price is not None and rests(order):
            print_line("the market pays what it waits for: it would be executed now")
    narrate(settings, "dry run: nothing was traded")
    return ExitCode.OK if preview.succeeds else ExitCode.ORDER_FAILED


def _preview_of_rest(settings: Settings, quote: QuoteResult, output: Format) -> ExitCode:
    dry_run = DryRun(
        quote=quote,
        succeeds=True,
        error=None,
        units_consumed=None,
        network_fee=quote.network_fee or "0",
        logs=(),
        would="rest",
    )
    if not print_data(output, dry_run):
        from orderctl.display.prospect import prospect_view
        from orderctl.display.tables import print_whole

        print_whole(prospect_view(quote), console(settings))
    narrate(settings, "dry run: nothing was sent")
    return ExitCode.OK
