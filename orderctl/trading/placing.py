"""Places one order: checks it, asks for confirmation on a real chain, sends it and follows it; or only simulates it."""

import sys
from typing import Annotated

import typer

from orderctl.config.settings import Settings
from orderctl.output.colours import Tone
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import can_ask, confirms
from orderctl.output.streams import Format, console, has_colour, narrate, print_data, print_line
from orderctl.trading.again import same_command
from orderctl.trading.batch import print_accepted
from orderctl.trading.sending import send
from orderctl.trading.terms import check, promised, rests
from orderd.client.connection import Client
from orderd.client.errors import ConfigError, RefusedError
from orderd.client.protocol import params_of
from orderd.domain.order import RESTING
from orderd.wire.message import NoParams
from orderd.wire.orders import OrderView
from orderd.wire.quotes import PreviewResult, QuoteParams, QuoteResult, SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from orderd.wire.submissions import SubmitParams, SubmitResult

Watch = Annotated[
    bool | None, typer.Option("--watch/--no-watch", help="Follow the order to its end; the default on a terminal.")
]
OwnId = Annotated[
    str | None,
    typer.Option("--client-order-id", metavar="ID", help="Your own id; the same id never creates a second order."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the route and the chain's simulation; trade nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation, even on a real chain.")]


def watches(output: Format, wanted: bool | None, *, dry_run: bool) -> bool:
    """Whether to follow the order. Raises ConfigError if the options contradict the output format."""
    found = wanted if wanted is not None else output in ("table", "wide") and sys.stdout.isatty()
    if found and output == "id":
        raise ConfigError("The options contradict each other", "-o id prints only the id", "leave out --watch")
    if dry_run and output == "id":
        raise ConfigError("The options contradict each other", "a dry run creates no order", "leave out -o id")
    return found


def place(
    ctx: typer.Context,
    settings: Settings,
    order: SubmitParams,
    output: Format,
    *,
    dry_run: bool,
    yes: bool,
    follow: bool,
) -> ExitCode:
    """Place or simulate an order. Raises OrderdError if it is invalid, and what Client.call raises."""
    check(order)
    if dry_run:
        return _preview(settings, order, output)
    with Client(settings) as client:
        agreed = order if yes else _agreed(client, settings, order)
        if agreed is None:
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        # A repeated command must not ask again: a new quote would change the terms under the same id.
        shown = {} if agreed is order else {"min_out": agreed.min_out, "max_in": agreed.max_in, "yes": True}
        try:
            narrate(settings, f"client order id {order.client_order_id}")
            result = send(client, agreed, same_command(ctx, client_order_id=order.client_order_id, **shown))
        except KeyboardInterrupt:
            narrate(settings, f"interrupted: the outcome is unknown; run: orderctl watch {order.client_order_id}")
            return ExitCode.INTERRUPTED
        try:
            return _show(client, settings, result, output, follow=follow)
        except KeyboardInterrupt:  # while what follows the order was loaded
            narrate(settings, f"detached; the order was accepted. Follow it with: orderctl watch {result.order.id}")
            return ExitCode.INTERRUPTED


def _show(client: Client, settings: Settings, result: SubmitResult, output: Format, *, follow: bool) -> ExitCode:
    """Follow an accepted order, or print it."""
    if not result.created:
        narrate(
            settings,
            "this client order id was submitted before: this is the existing order; no second one was created",
        )
    if follow:
        from orderctl.trading.watching import watch as follow_to_the_end

        return follow_to_the_end(client, settings, [str(result.order.id)], output)
    print_accepted(result, output)
    if output in ("table", "wide"):
        _show_next_steps(settings, result.order)
    return ExitCode.OK


def _show_next_steps(settings: Settings, order: OrderView) -> None:
    if order.status in RESTING:
        from orderctl.display.conditions import reading, what_follows
        from orderctl.display.terms import validity

        narrate(settings, f"the order rests and waits for {reading(order)}")
        narrate(settings, f"then {what_follows(order)}")
        narrate(settings, f"valid {validity(order)}")
        narrate(settings, f"cancel it with: orderctl cancel {order.id}")
    narrate(settings, f"follow it with: orderctl watch {order.id}")


def may_trade(client: Client, settings: Settings, question: str) -> bool:
    """Ask for confirmation, except on a local chain. Ctrl-C means no. Raises ConfigError without a terminal."""
    try:
        chain = _chain_at_stake(client)
        return chain is None or _agrees(settings, chain, question)
    except KeyboardInterrupt:
        return False


def _agreed(client: Client, settings: Settings, order: SubmitParams) -> SubmitParams | None:
    """The confirmed order, with the limit of the quote that was shown; None if it was not confirmed.

    A resting order keeps its own terms, because it executes later, at other prices. Raises ConfigError without a
    terminal, and OrderdError if the daemon would refuse its prices.
    """
    try:
        chain = _chain_at_stake(client)
        if chain is None:
            return order
        from orderctl.display.quotes import quote_view
        from orderctl.display.tables import print_whole

        quote = _quote(client, order)
        if isinstance(quote, RefusedError):
            from orderctl.display.prospect import unlisted_view

            print_whole(unlisted_view(order, quote.problem), console(settings, sys.stderr))
            return order if _agrees(settings, chain, "send this order?") else None
        if rests(order):
            from orderctl.display.prospect import check_fires_later, prospect_view

            check_fires_later(order, quote)
            print_whole(prospect_view(quote), console(settings, sys.stderr))
            return order if _agrees(settings, chain, "send this order?") else None
        print_whole(quote_view(quote), console(settings, sys.stderr))
        if _agrees(settings, chain, "send this order?"):
            return order.model_copy(update=promised(quote))
    except KeyboardInterrupt:
        pass
    return None


def _quote(client: Client, order: SubmitParams) -> QuoteResult | RefusedError:
    """A quote; for an order on liquidity without a market, the refusal."""
    from orderctl.display.pairs import know

    terms = order.model_dump(exclude={"client_order_id"})
    try:
        quote = client.call(Method.QUOTE, params_of(QuoteParams, **terms), QuoteResult)
    except RefusedError as error:
        if order.min_liquidity is None or error.problem.code.category not in ("ROUTE", "POOL"):
            raise
        return error
    know(quote.tokens)
    return quote


def _chain_at_stake(client: Client) -> str | None:
    """The name of a real chain; None for a local chain. Raises ConfigError if a confirmation needs a terminal."""
    chain = client.call(Method.STATUS, NoParams(), StatusResult).chain
    if chain in ("simnet", "localnet"):
        return None
    if not can_ask():
        why = f"the chain is {chain}, and there is no terminal to ask on; nothing was sent"
        raise ConfigError("Trading on a real chain needs a confirmation", why, "add --yes")
    return chain


def _agrees(settings: Settings, chain: str, question: str) -> bool:
    name = typer.style(chain, fg=Tone.BAD, bold=True) if has_colour(sys.stderr, settings.color) else chain
    return confirms(f"{name}: {question}")


def _preview(settings: Settings, order: SubmitParams, output: Format) -> ExitCode:
    with Client(settings) as client:
        if rests(order) and order.slices is None:
            from orderctl.display.prospect import check_fires_later, is_met

            quote = _quote(client, order)
            if isinstance(quote, RefusedError):
                return _preview_without_market(settings, order, quote, output)
            check_fires_later(order, quote)
            if not is_met(quote):
                return _preview_of_rest(settings, quote, output)
        preview = client.call(Method.ORDER_PREVIEW, order, PreviewResult)
    if not print_data(output, SimulatedFill(**dict(preview), would="execute")):
        from orderctl.display.quotes import preview_view
        from orderctl.display.tables import print_whole

        if order.slices is not None:
            from orderctl.display.prospect import prospect

            print_whole(prospect(preview.quote), console(settings))
        print_whole(preview_view(preview, wide=output == "wide"), console(settings))
        if order.limit_price is not None and rests(order):
            print_line("the market meets the limit price: the order would be executed now")
    narrate(settings, "dry run: nothing was traded")
    return ExitCode.OK if preview.succeeds else ExitCode.ORDER_FAILED


def _preview_without_market(settings: Settings, order: SubmitParams, refused: RefusedError, output: Format) -> ExitCode:
    """Describe an order on liquidity without a market. Raises ``refused`` for JSON output, because there is no
    quote."""
    if output not in ("table", "wide"):
        raise refused
    from orderctl.display.prospect import unlisted_view
    from orderctl.display.tables import print_whole

    print_whole(unlisted_view(order, refused.problem), console(settings))
    narrate(settings, "dry run: nothing was sent")
    return ExitCode.OK


def _preview_of_rest(settings: Settings, quote: QuoteResult, output: Format) -> ExitCode:
    tried = SimulatedFill(
        quote=quote,
        succeeds=True,
        error=None,
        units_consumed=None,
        network_fee=quote.network_fee or "0",
        logs=(),
        would="rest",
    )
    if not print_data(output, tried):
        from orderctl.display.prospect import prospect_view
        from orderctl.display.tables import print_whole

        print_whole(prospect_view(quote), console(settings))
    narrate(settings, "dry run: nothing was sent")
    return ExitCode.OK
