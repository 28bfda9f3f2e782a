"""orderctl list"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from orderctl.config.settings import Settings, settings_of
from orderctl.output.colours import Tone
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import (
    OUTPUT,
    Format,
    console,
    is_live,
    narrate,
    print_data,
    print_json_line,
)
from orderctl.trading.lookup import OfAccount
from orderctl.trading.paging import pages
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ConfigError, UnreachableError
from orderd.client.protocol import params_of
from orderd.domain.order import OrderKind, OrderStatus
from orderd.wire.orders import ListParams, ListResult, OrderView

if TYPE_CHECKING:
    from rich.console import RenderableType

WATCH_SECONDS = 1.0
TABLES = ("table", "wide")

Orders = tuple[OrderView, ...]


def run(
    ctx: typer.Context,
    status: Annotated[
        list[OrderStatus] | None, typer.Option("--status", help="Only orders in this state; can be repeated.")
    ] = None,
    kind: Annotated[
        list[OrderKind] | None, typer.Option("--kind", help="Only orders of this kind; can be repeated.")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="Only orders that sell or buy this token.")
    ] = None,
    account: OfAccount = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Maximum number of orders.", min=1)] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Show all orders.")] = False,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="The columns in this order, like id,status,sell,price."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", metavar="NAME", help="With --all: sort by this column; -NAME sorts in descending order."
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh the list until Ctrl-C.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """List orders, newest first."""
    settings = settings_of(ctx, output)
    if watch and (output not in TABLES or not is_live(sys.stdout)):
        raise ConfigError(
            "--watch needs a terminal",
            "stdout is not a terminal, or -o is not a table",
            "for a script: orderctl watch --all",
        )
    table, arranged = _drawing(columns, output), _sorting(sort, everything=everything)
    wanted = params_of(ListParams, status=status or (), kind=kind or (), token=token, account=account)
    most = None if everything else limit
    with Client(settings) as client:
        if watch:
            return _watch(settings, lambda: table(arranged(_orders(pages(client, wanted, most)))))
        if output == "jsonl" and sort is None:
            for order in _orders(pages(client, wanted, most)):
                print_json_line(order)
            return ExitCode.OK
        read = list(pages(client, wanted, most))
    orders = arranged(_orders(read))
    cursor = read[-1].next_cursor
    whole = ListResult(orders=orders, next_cursor=cursor)
    if not print_data(output, whole, orders, (str(order.id) for order in orders)) and orders:
        from orderctl.display.tables import print_whole

        print_whole(table(orders), console(settings))
    if not orders:
        narrate(settings, "no orders match" if status or kind or token or account else "no orders")
    elif cursor is not None:
        narrate(settings, "there are more; show them with --limit N or --all")
    return ExitCode.OK


def _orders(read: Iterable[ListResult]) -> Iterator[OrderView]:
    return (order for page in read for order in page.orders)


def _drawing(names: str | None, output: Format) -> "Callable[[Orders], RenderableType]":
    """The function that draws the table with the named columns. Raises ConfigError."""
    if names is not None and output not in TABLES:
        why = f"-o {output} has no columns"
        raise ConfigError("The options contradict each other", why, "leave out --columns, or use -o table or -o wide")
    if names is not None:
        from orderctl.display.columns import columns_named

        columns = columns_named(names)
    else:
        columns = None

    def draw(orders: Orders) -> "RenderableType":
        from orderctl.display.orders import orders_table

        return orders_table(orders, wide=output == "wide", columns=columns)

    return draw


def _sorting(name: str | None, *, everything: bool) -> Callable[[Iterable[OrderView]], Orders]:
    """The function that sorts orders by the named column. Raises ConfigError."""
    if name is None:
        return tuple
    if not everything:
        why = "without --all only the newest orders are read"
        raise ConfigError("--sort needs all orders", why, "add --all")
    from orderctl.display.columns import column_named

    column = column_named(name.removeprefix("-"))
    return lambda orders: tuple(sorted(orders, key=column.key, reverse=name.startswith("-")))


def _watch(settings: Settings, draw: "Callable[[], RenderableType]") -> ExitCode:
    """Redraw the list until Ctrl-C; a lost connection is shown below it."""
    from rich.console import Group, RenderableType
    from rich.live import Live
    from rich.text import Text

    shown: RenderableType = Text("reading the orders ...", "dim")
    with Live(console=console(settings), screen=True, auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            try:
                shown = draw()
                message = Text()
            except (UnreachableError, AnswerLostError) as error:
                message = Text(f"{error.title}: {error.detail}", Tone.WARNING)
            live.update(Group(shown, message), refresh=True)
            time.sleep(WATCH_SECONDS)
    return ExitCode.OK
