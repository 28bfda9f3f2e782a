"""orderctl list"""

from collections.abc import Iterator
from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, ListFormat, console, document, narrate, print_json, print_json_line, print_line
from orderctl.protocol import params_of
from orderctl.settings import settings_of
from orderd.domain.order import OrderStatus
from orderd.wire import ListParams, ListResult, Method

PAGE = 500


def run(
    ctx: typer.Context,
    status: Annotated[
        list[OrderStatus] | None, typer.Option("--status", help="Only orders in this state; may be given again.")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="Only orders that sell or buy it.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1)] = 20,
    everything: Annotated[bool, typer.Option("--all", help="All of them, page after page.")] = False,
    output: Annotated[ListFormat, OUTPUT] = "table",
) -> ExitCode:
    """List orders, newest first."""
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        pages = _pages(client, tuple(status or ()), token, None if everything else limit)
        if output == "jsonl":
            for page in pages:
                for order in page.orders:
                    print_json_line(document("order", order))
            return ExitCode.OK
        read = list(pages)
    orders = tuple(order for page in read for order in page.orders)
    cursor = read[-1].next_cursor
    if output == "json":
        print_json(document("orders", ListResult(orders=orders, next_cursor=cursor)))
    elif output == "id":
        for order in orders:
            print_line(str(order.id))
    elif orders:
        from orderctl.orders import orders_table
        from orderctl.tables import print_whole

        print_whole(orders_table(orders, wide=output == "wide"), console(settings))
    if not orders:
        narrate(settings, "no orders" if not (status or token) else "no orders match")
    elif cursor is not None:
        narrate(settings, "there are more: --limit N or --all shows them")
    return ExitCode.OK


def _pages(
    client: Client, status: tuple[OrderStatus, ...], token: str | None, limit: int | None
) -> Iterator[ListResult]:
    """One page at least. Stops at ``limit`` orders; None reads all."""
    cursor: str | None = None
    left = limit
    while True:
        size = PAGE if left is None else min(PAGE, left)
        params = params_of(ListParams, status=status, token=token, limit=size, cursor=cursor)
        page = client.call(Method.ORDERS_LIST, params, ListResult)
        yield page
        cursor = page.next_cursor
        left = None if left is None else left - len(page.orders)
        if cursor is None or (left is not None and left <= 0):
            return
