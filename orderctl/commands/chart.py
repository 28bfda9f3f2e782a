"""orderctl chart"""

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, RecordFormat, console, narrate, print_records
from orderctl.trading.period import Until, moment
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.prices import PriceCandle, PricesParams, PricesResult
from orderd.wire.rpc import Method

_DEFAULT_SIZE = (100, 24)
"""Columns and lines without a terminal."""
_AXIS_WIDTH = 10
"""Approximate width of the price axis, in columns."""


def run(
    ctx: typer.Context,
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Two tokens, such as SOL/USDC.")],
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="The interval of a candle: 1m, 5m, 15m, 1h, 4h or 1d.")
    ] = "1m",
    until: Until = None,
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", help="The width in columns.", min=20, max=1_000)
    ] = None,
    height: Annotated[
        int | None, typer.Option("--height", metavar="N", help="The height in lines.", min=6, max=500)
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the chart to this SVG file instead.")
    ] = None,
    output: Annotated[RecordFormat, OUTPUT] = "table",
) -> ExitCode:
    """Draw the prices of a pair, with your fills and the prices of waiting orders.

    \b
    orderctl chart SOL/USDC
    orderctl chart SOL/USDC --interval 1h --svg sol.svg
    orderctl chart SOL/USDC --interval 1d -o csv

    Prices are mid prices, before fees. Candles of minutes are kept for 30 days, and those of hours for a year. Times
    are in UTC. A triangle that points up marks a fill that bought the first token; one that points down marks a sale.
    Formats other than table print only the candles.
    """
    settings = settings_of(ctx, output)
    if svg is not None and output not in ("table", "wide"):
        raise ConfigError(
            "The options contradict each other", f"-o {output} does not draw a chart", "leave out --svg or -o"
        )
    columns, lines = get_terminal_size(_DEFAULT_SIZE) if sys.stdout.isatty() else _DEFAULT_SIZE
    columns, lines = width or columns, height or max(lines - 3, 6)
    wanted = params_of(
        PricesParams, pair=pair, interval=interval, until=moment(until), limit=max(columns - _AXIS_WIDTH, 1)
    )
    with Client(settings) as client:
        prices = client.call(Method.PRICES, wanted, PricesResult)
        if print_records(output, prices, PriceCandle, prices.candles):
            return ExitCode.OK
        if not prices.candles:
            narrate(settings, f"no prices of {prices.base}/{prices.quote} are stored for that time")
            narrate(settings, "next: set ORDERD_WATCH_PAIRS, so that the daemon records them")
            return ExitCode.OK
        from orderctl.trading.charting import chart_of

        chart = chart_of(client, prices)
    from orderctl.display.candles import last_line, picture

    title = f"{prices.base}/{prices.quote} {prices.interval}"
    if svg is not None:
        svg.write_text(picture(chart, title, columns, lines))
        narrate(settings, f"written to {svg}")
        return ExitCode.OK
    out = console(settings)
    for line in chart.lines(columns, lines):
        out.print(line, soft_wrap=True)
    for text in last_line(chart, title, lines):
        narrate(settings, text)
    return ExitCode.OK
