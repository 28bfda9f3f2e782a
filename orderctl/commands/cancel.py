"""orderctl cancel"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import check_can_ask, types
from orderctl.output.streams import OUTPUT, Format, narrate, print_json, print_json_line, print_line
from orderctl.trading.cancelling import cancel_each
from orderctl.trading.lookup import AllActive, OfAccount, Orders, named
from orderctl.trading.paging import active_orders
from orderd.client.connection import Client
from orderd.domain.accounts import DEFAULT
from orderd.domain.order import SIGNED
from orderd.wire.orders import GetParams, ListResult, OrderView


def run(
    ctx: typer.Context,
    orders: Orders = None,
    everything: AllActive = False,
    account: OfAccount = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation of --all.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Cancel orders that are not signed yet.

    A signed order may still land: it is not retried, and ends as its transaction does. If one order cannot be
    cancelled, the others still are; the exit code is that of the first refusal. --all asks you to type the number of
    orders first.
    """
    settings = settings_of(ctx, output)
    wanted = named(orders, everything=everything, account=account)
    with Client(settings) as client:
        if everything:
            active = active_orders(client, account)
            wanted = [GetParams(order=str(order.id)) for order in active]
            if not wanted:
                narrate(settings, "no order is active")
            elif not (yes or _is_sure(active)):
                narrate(settings, "nothing was cancelled")
                return ExitCode.INTERRUPTED
        cancelled, outcome = cancel_each(client, settings, wanted, output, partial(_print, output=output))
    if output == "json":
        print_json(ListResult(orders=tuple(cancelled), next_cursor=None))
    return outcome


def _is_sure(active: Sequence[OrderView]) -> bool:
    """Ask for confirmation; names the accounts if there are several. Raises ConfigError without a terminal."""
    check_can_ask("Cancelling all orders")
    accounts = sorted({order.account or DEFAULT for order in active})
    of_accounts = "" if accounts == [DEFAULT] else f" of {', '.join(accounts)}"
    return types(
        str(len(active)), f"cancel all {len(active)} active orders{of_accounts}? Type the number of orders to go on:"
    )


def _print(order: OrderView, output: Format) -> None:
    match output:
        case "table" | "wide":
            note = "  cancel requested: it ends as its transaction does" if order.status in SIGNED else ""
            print_line(f"{order.id}  {order.status}{note}")
        case "jsonl":
            print_json_line(order)
        case "id":
            print_line(str(order.id))
        case "json":
            pass
