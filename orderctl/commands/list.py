"""orderctl list"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

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
from orderctl.trading.paging import pages
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ClientError, ConfigError, UnreachableError
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderStatus
from orderd.domain.tokens import Token, TokenRegistry
from orderd.wire import ListResult, Method, NoParams, TokensResult

WATCH_SECONDS = 1.0


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
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show the list anew until Ctrl-C.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """List orders, newest first."""
    settings = settings_of(ctx, output)
    if watch and (output not in ("table", "wide") or not is_live(sys.stdout)):
        raise ConfigError("Only a terminal can show a list anew", "--watch draws", "for a script: orderctl watch --all")
    with Client(settings) as client:
        most = None if everything else limit
        if watch:
            return _watch(settings, lambda: list(pages(client, status or (), token, most)), wide=output == "wide")
        if output == "jsonl":
            for page in pages(client, status or (), token, most):
                for order in page.orders:
                    print_json_line(order)
            return ExitCode.OK
        read = list(pages(client, status or (), token, most))
        hint = "" if token is None or read[0].orders else _hint(client, token)
    orders = tuple(order for page in read for order in page.orders)
    cursor = read[-1].next_cursor
    whole = ListResult(orders=orders, next_cursor=cursor)
    if not print_data(output, whole, orders, (str(order.id) for order in orders)) and orders:
        from orderctl.display.orders import orders_table
        from orderctl.display.tables import print_whole

        print_whole(orders_table(orders, wide=output == "wide"), console(settings))
    if not orders:
        narrate(settings, f"no orders match{hint}" if status or token else "no orders")
    elif cursor is not None:
        narrate(settings, "there are more: --limit N or --all shows them")
    return ExitCode.OK


def _hint(client: Client, token: str) -> str:
    """What is wrong with a token that no order has, where something is."""
    try:
        known = client.call(Method.TOKENS, NoParams(), TokensResult).tokens
        TokenRegistry(tuple(Token(one.symbol, one.mint, one.decimals) for one in known)).resolve(token)
    except OrderdError as error:
        return f"; {error.detail}"
    except ClientError:
        pass  # what the daemon knows is of no more help
    return ""


def _watch(settings: Settings, read: Callable[[], list[ListResult]], *, wide: bool) -> ExitCode:
    """Draws until Ctrl-C, and says so while there is no connection."""
    from rich.console import Group, RenderableType
    from rich.live import Live
    from rich.text import Text

    from orderctl.display.orders import orders_table

    shown: RenderableType = Text("reading the orders ...", "dim")
    with Live(console=console(settings), screen=True, auto_refresh=False) as live, suppress(KeyboardInterrupt):
        while True:
            try:
                shown = orders_table(tuple(order for page in read() for order in page.orders), wide=wide)
                trouble = Text()
            except (UnreachableError, AnswerLostError) as error:
                trouble = Text(f"{error.title}: {error.detail}", Tone.WARNING)
            live.update(Group(shown, trouble), refresh=True)
            time.sleep(WATCH_SECONDS)
    return ExitCode.OK
