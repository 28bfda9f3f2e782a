"""orderctl watch"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, narrate
from orderctl.trading.lookup import AllActive, OfAccount, Orders, named
from orderctl.trading.paging import active_orders
from orderctl.trading.watching import watch
from orderd.client.connection import Client
from orderd.domain.times import parse_span


def run(
    ctx: typer.Context,
    orders: Orders = None,
    everything: AllActive = False,
    account: OfAccount = None,
    limit: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop following after this long, such as 30s or 5m.")
    ] = None,
    notifies: Annotated[
        bool, typer.Option("--notify", help="Show a desktop or terminal notification when an order ends.")
    ] = False,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Follow orders live until they end.

    Reconnects after restarts of the daemon. Ctrl-C stops following and does not cancel the orders. Exits with 0 if all
    orders were confirmed, 1 if one failed or was cancelled, and 5 after --for. -o json prints one event per line.
    """
    settings = settings_of(ctx, output)
    seconds = None if limit is None else _seconds(limit)
    wanted = [params.order for params in named(orders, everything=everything, account=account)]
    with Client(settings) as client:
        if everything:
            wanted = [str(order.id) for order in active_orders(client, account)]
        if not wanted:
            narrate(settings, "no order is active")
            return ExitCode.OK
        if not notifies:
            return watch(client, settings, wanted, output, seconds)
        from orderctl.display.notification import notify

        return watch(client, settings, wanted, output, seconds, notify)


def _seconds(limit: str) -> float:
    """A plain number means seconds. Raises OrderdError TIME_INVALID."""
    return float(limit) if limit.replace(".", "", 1).isdecimal() else parse_span(limit)
