"""orderctl depth"""

import sys
from shutil import get_terminal_size
from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.trading.depth import depth_of
from orderd.client.connection import Client

_DEFAULT_SIZE = (80, 24)
"""Columns and lines without a terminal."""


def run(
    ctx: typer.Context,
    base: Annotated[str, typer.Argument(metavar="TOKEN", help="The token that is sold or bought.")],
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="The token that prices are in.")],
    sizes: Annotated[
        str | None, typer.Option("--sizes", metavar="AMOUNTS", help="Amounts of TOKEN, like 1,10,100.")
    ] = None,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show the price and the cost of several trade sizes, on the best route and at each venue alone.

    \b
    orderctl depth SOL USDC
    orderctl depth SOL USDC --sizes 1,10,100

    Nothing is traded: each size is quoted once for selling and once for buying. The cost includes fees and price
    impact. It is in basis points of the mid price, which is taken from the two quotes of the smallest size.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        depth = depth_of(client, base, quote, None if sizes is None else sizes.split(","))
    if not print_data(output, depth, depth.levels):
        from orderctl.display.depth import depth_view
        from orderctl.display.tables import print_whole

        width, _ = get_terminal_size(_DEFAULT_SIZE) if sys.stdout.isatty() else _DEFAULT_SIZE
        print_whole(depth_view(depth, width), console(settings))
    return ExitCode.OK
