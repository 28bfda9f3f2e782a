"""orderctl events"""

from pathlib import Path
from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.trading.order_detail import order_detail
from orderd.client.connection import Client
from orderd.client.errors import ConfigError


def run(
    ctx: typer.Context,
    order: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="The order's id, a unique prefix of it, or its client order id."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Print the events of all orders as they happen, one JSON document per line."),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", metavar="FILE", help="With --follow: store the position in this file, and continue from there."
        ),
    ] = None,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show an order's events.

    \b
    orderctl events ID
    orderctl events --follow --resume events.json >> events.jsonl

    With an ID, the command prints the events of that order so far; orderctl watch waits for later ones. With --follow,
    it prints the events of all orders from now on, until Ctrl-C; it reconnects after restarts of the daemon. With
    --resume, it also prints the events since the file was written. Each event is printed once, or twice if orderctl was
    killed.
    """
    settings = settings_of(ctx, output)
    if follow == (order is not None):
        raise ConfigError(
            "Which events?", "give either an order, or --follow for all orders", "see: orderctl events --help"
        )
    if resume is not None and not follow:
        raise ConfigError(
            "The options contradict each other", "--resume needs --follow", "leave out --resume, or add --follow"
        )
    if order is None:
        from orderctl.trading.event_feed import follow_all

        with Client(settings) as client:
            return follow_all(client, settings, resume)
    with Client(settings) as client:
        detail = order_detail(client, order)
    if output in ("json", "jsonl"):
        from orderctl.output.events import Events

        print_data(output, Events(order_id=str(detail.order.id), events=detail.events), detail.events)
    else:
        from orderctl.display.detail import timeline_lines
        from orderctl.display.tables import print_whole

        out = console(settings)
        for line in timeline_lines(detail, wide=output == "wide"):
            print_whole(line, out)
    return ExitCode.OK
