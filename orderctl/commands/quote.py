"""orderctl quote"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.trading.terms import AMOUNTS, Given, TradeCommand, check, takes_terms
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method

COMMAND_CLASS = TradeCommand


@takes_terms()
def run(
    ctx: typer.Context,
    given: Given,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show the prices of all venues.

    Nothing is traded. The best route comes first: one pool, or several that share the order. -o wide explains the
    choice. With --exact-out instead of AMOUNT, the best route is the one that costs least.
    """
    settings = settings_of(ctx, output)
    if given.keys().isdisjoint(AMOUNTS):
        raise ConfigError("The command line cannot be understood", "AMOUNT is required", "see: orderctl quote --help")
    params = params_of(QuoteParams, **given)
    check(params)
    with Client(settings) as client:
        answer = client.call(Method.QUOTE, params, QuoteResult)
    if not print_data(output, answer):
        from orderctl.display.quotes import quote_view
        from orderctl.display.tables import print_whole

        print_whole(quote_view(answer, wide=output == "wide"), console(settings))
    return ExitCode.OK
