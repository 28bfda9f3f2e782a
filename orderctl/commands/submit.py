"""orderctl submit"""

import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import Settings, settings_of
from orderctl.output.colours import Tone
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import agrees_to, can_ask
from orderctl.output.streams import OUTPUT, Format, console, has_colour, narrate, print_data
from orderctl.trading.again import same_command
from orderctl.trading.batch import print_taken, submit_all
from orderctl.trading.orders_file import read_orders
from orderctl.trading.sending import send
from orderctl.trading.terms import DUE, Given, TradeCommand, check, takes_terms, typed_as
from orderctl.trading.watching import watch as follow_to_the_end
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.money import parse_amount_word
from orderd.wire import Method, NoParams, PreviewResult, QuoteParams, QuoteResult, StatusResult, SubmitParams

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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also where the money is real.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Sell an amount of one token for another.

    Except on simnet it shows the prices and asks first; without a terminal to ask on, --yes is needed. What it shows
    as the least is sent as --min-out. The order's client id is told before it is sent. When no answer comes, look it
    up under that id, or send it again with --client-order-id: it cannot be executed twice.

    A file has the columns token_in, token_out, amount_in and, where wanted, slippage, min_out, max_cost, floor,
    use_wrapped, type, limit_price, stop_price, take_profit_price, trail, max_slippage, confirm, confirm_for,
    time_in_force, valid_for, expires and client_order_id. It is checked as a whole before the first of its orders is
    sent. The same file with the same --client-order-id again sends what was not sent yet, and nothing twice.
    """
    settings = settings_of(ctx, output)
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
            narrate(settings, f"follow it with: orderctl watch {result.order.id}")
        return ExitCode.OK


def _submit_file(
    settings: Settings, file: str, given: Given, batch: str, again: str, output: Format, *, yes: bool, watches: bool
) -> ExitCode:
    """``batch`` is how the ids of orders begin that have none of their own."""
    orders = read_orders(file, given, batch)
    with Client(settings) as client:
        if not (yes or _may_trade(client, settings, f"send {len(orders)} orders, which sell {_sums(orders)}?")):
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

    Raises ConfigError as below.
    """
    try:
        chain = _chain_at_stake(client)
        if chain is None:
            return order
        from orderctl.display.quotes import quote_view
        from orderctl.display.tables import print_whole

        terms = order.model_dump(exclude={"client_order_id"})
        quote = client.call(Method.QUOTE, params_of(QuoteParams, **terms), QuoteResult)
        print_whole(quote_view(quote), console(settings, sys.stderr))
        if _agrees(settings, chain, "send this order?"):
            return order.model_copy(update={"min_out": quote.min_amount_out})
    except KeyboardInterrupt:
        pass
    return None


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
    parts = []
    for order in orders:
        if (word := parse_amount_word(order.amount_in)) is not None:
            parts.append(f"{word} of {order.token_in}")
        else:
            sums[order.token_in] = sums.get(order.token_in, Decimal(0)) + Decimal(order.amount_in)
    return " and ".join([*(f"{amount:f} {token}" for token, amount in sums.items()), *parts])


def _preview(settings: Settings, order: SubmitParams, output: Format) -> ExitCode:
    with Client(settings) as client:
        preview = client.call(Method.ORDER_PREVIEW, order, PreviewResult)
    if not print_data(output, preview):
        from orderctl.display.quotes import preview_view
        from orderctl.display.tables import print_whole

        print_whole(preview_view(preview, wide=output == "wide"), console(settings))
    narrate(settings, "dry run: nothing was traded")
    return ExitCode.OK if preview.succeeds else ExitCode.ORDER_FAILED
