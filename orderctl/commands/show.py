"""orderctl show"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, print_data
from orderctl.trading.lookup import OneOrder
from orderctl.trading.order_detail import order_detail
from orderd.client.connection import Client
from orderd.client.errors import ConfigError


def run(
    ctx: typer.Context,
    order: OneOrder,
    timing: Annotated[bool, typer.Option("--timing", help="Show how long each step took.")] = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Show everything about an order.

    Shows its route, its timeline with all quotes and the choice, its attempts, its fill, and failures with their logs.
    -o wide shows full signatures and addresses.

    \b
    orderctl show ID --timing
    """
    settings = settings_of(ctx, output)
    if timing and output not in ("table", "wide"):
        raise ConfigError(
            "The options contradict each other", f"-o {output} does not draw the timing", "leave out --timing or -o"
        )
    with Client(settings) as client:
        detail = order_detail(client, order)
    if not print_data(output, detail, ids=(str(detail.order.id),)):
        out = console(settings)
        if timing:
            from orderctl.display.waterfall import waterfall

            for line in waterfall(detail):
                out.print(line, soft_wrap=True)
            return ExitCode.OK
        from orderctl.display.detail import print_detail

        print_detail(detail, out, wide=output == "wide")
    return ExitCode.OK
