"""orderctl cancel"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import answer_to, can_ask
from orderctl.output.streams import OUTPUT, Format, narrate, print_json, print_json_line, print_line, report
from orderctl.trading.lookup import suggesting
from orderctl.trading.paging import active_orders
from orderd.client.connection import Client
from orderd.client.errors import ConfigError, RefusedError
from orderd.client.protocol import params_of
from orderd.wire import CancelResult, GetParams, ListResult, Method, OrderView


def run(
    ctx: typer.Context,
    orders: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids, unique prefixes of them, or client order ids.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All orders that are active now.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --all.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Cancel orders that are not signed yet.

    One that cannot be cancelled does not keep the others from it; the exit code is the first refusal's. --all asks for
    the number of orders, typed, before it does anything.
    """
    settings = settings_of(ctx, output)
    if bool(orders) == everything:
        raise ConfigError("Which orders?", "give ids, or --all, and not both", "see: orderctl list")
    wanted = [params_of(GetParams, order=order) for order in orders or ()]
    cancelled: list[OrderView] = []
    outcome = ExitCode.OK
    with Client(settings) as client:
        if everything:
            wanted = [GetParams(order=str(order.id)) for order in active_orders(client)]
            if not wanted:
                narrate(settings, "no order is active")
            elif not (yes or _is_sure(len(wanted))):
                narrate(settings, "nothing was cancelled")
                return ExitCode.INTERRUPTED
        for params in wanted:
            try:
                with suggesting(client):
                    order = client.call(Method.ORDER_CANCEL, params, CancelResult).order
            except RefusedError as error:
                refused = report(error, output, settings.color)
                outcome = outcome or refused
                continue
            cancelled.append(order)
            _print(order, output)
    if output == "json":
        print_json(ListResult(orders=tuple(cancelled), next_cursor=None))
    return outcome


def _is_sure(count: int) -> bool:
    """Raises ConfigError where nobody can be asked."""
    if not can_ask():
        raise ConfigError("Cancelling all orders needs a yes", "there is no terminal to ask on", "add --yes")
    return answer_to(f"cancel all {count} active orders? Type the number of orders to go on:") == str(count)


def _print(order: OrderView, output: Format) -> None:
    match output:
        case "table" | "wide":
            print_line(f"{order.id}  {order.status}")
        case "jsonl":
            print_json_line(order)
        case "id":
            print_line(str(order.id))
        case "json":
            pass
