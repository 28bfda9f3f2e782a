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

_PIPE = (100, 24)
"""Columns and lines if there is no terminal that has a size."""
_AXIS = 10
"""Columns that the axis takes, about."""


def run(
    ctx: typer.Context,
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Two tokens, such as SOL/USDC.")],
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="Of one candle: 1m, 5m, 15m, 1h, 4h, 1d.")
    ] = "1m",
    until: Until = None,
    width: Annotated[int | None, typer.Option("--width", metavar="N", help="Columns.", min=20, max=1_000)] = None,
    height: Annotated[int | None, typer.Option("--height", metavar="N", help="Lines.", min=6, max=500)] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the picture to this file instead.")
    ] = None,
    output: Annotated[RecordFormat, OUTPUT] = "table",
) -> ExitCode:
    """Draw the prices of a pair, with your fills and the prices that orders wait for.

    \b
    orderctl chart SOL/USDC
    orderctl chart SOL/USDC --interval 1h --svg sol.svg
    orderctl chart SOL/USDC --interval 1d -o csv

    Prices are between the best pools to sell to and to buy from, before fees. Minutes are kept for 30 days, hours for a
    year. Times are in UTC. A triangle that points up is a fill that bought the first token, one that points down a fill
    that sold it. Other formats than table print the candles alone.
    """
    settings = settings_of(ctx, output)
    if svg is not None and output not in ("table", "wide"):
        raise ConfigError("The options contradict each other", f"-o {output} draws nothing", "leave out --svg or -o")
    columns, lines = get_terminal_size(_PIPE) if sys.stdout.isatty() else _PIPE
    columns, lines = width or columns, height or max(lines - 3, 6)
    wanted = params_of(PricesParams, pair=pair, interval=interval, until=moment(until), limit=max(columns - _AXIS, 1))
    with Client(settings) as client:
        prices = client.call(Method.PRICES, wanted, PricesResult)
        if print_records(output, prices, PriceCandle, prices.candles):
            return ExitCode.OK
        if not prices.candles:
            narrate(settings, f"no prices of {prices.base}/{prices.quote} are kept for that time")
            narrate(settings, "next: have the daemon keep them with ORDERD_WATCH_PAIRS")
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
