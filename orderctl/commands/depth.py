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

_PIPE = (80, 24)
"""Columns and lines if there is no terminal that has a size."""


def run(
    ctx: typer.Context,
    base: Annotated[str, typer.Argument(metavar="TOKEN", help="The token whose sizes are looked at.")],
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="The token that it is traded against.")],
    sizes: Annotated[
        str | None, typer.Option("--sizes", metavar="AMOUNTS", help="Of the first token, like 1,10,100.")
    ] = None,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show what each size of a pair would pay and cost, over the best route and at each venue alone.

    \b
    orderctl depth SOL USDC
    orderctl depth SOL USDC --sizes 1,10,100

    Nothing is traded: each size is quoted once to sell and once to buy. Costs are fees and price impact together, in
    basis points behind the price halfway between the two sides of the smallest size.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        depth = depth_of(client, base, quote, None if sizes is None else sizes.split(","))
    if not print_data(output, depth, depth.levels):
        from orderctl.display.depth import depth_view
        from orderctl.display.tables import print_whole

        width, _ = get_terminal_size(_PIPE) if sys.stdout.isatty() else _PIPE
        print_whole(depth_view(depth, width), console(settings))
    return ExitCode.OK
