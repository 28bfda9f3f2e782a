"""orderctl wait"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, narrate, print_data, print_line
from orderctl.trading.lookup import Orders, named
from orderctl.trading.order_detail import order_detail
from orderctl.trading.waiting import Goal, wait
from orderd.client.connection import Client
from orderd.domain.times import parse_span
from orderd.wire.orders import ListResult


def run(
    ctx: typer.Context,
    orders: Orders = None,
    goal: Annotated[Goal, typer.Option("--for", help="The state to wait for.")] = "ended",
    limit: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="The maximum time to wait, such as 30s or 5m.")
    ] = None,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Wait until orders are submitted, confirmed or ended, and show their state.

    \b
    orderctl wait ID --for confirmed --timeout 30s
    orderctl wait ID1 ID2 --for ended -o json

    Exits with 0 if all orders have reached the state, 1 if one has ended without it, and 5 after the timeout.
    Reconnects after restarts of the daemon.
    """
    settings = settings_of(ctx, output)
    wanted = [params.order for params in named(orders, everything=False)]
    seconds = None if limit is None else parse_span(limit)
    with Client(settings) as client:
        ids = list(dict.fromkeys(order_detail(client, order).order.id for order in wanted))
        code = wait(client, ids, goal, seconds)
        found = tuple(order_detail(client, str(order_id)).order for order_id in ids)
    if not print_data(output, ListResult(orders=found, next_cursor=None), found, (str(each.id) for each in found)):
        for each in found:
            print_line(f"{each.id} {each.status}")
    if code is not ExitCode.OK:
        narrate(settings, f"not all orders are {goal}; see: orderctl show ID")
    return code
