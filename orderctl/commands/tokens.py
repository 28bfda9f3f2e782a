"""orderctl tokens"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, print_data
from orderd.client.connection import Client
from orderd.wire import Method, NoParams, TokensResult


def run(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """List the tokens that can be traded.

    Each goes by its symbol or by its mint address.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        answer = client.call(Method.TOKENS, NoParams(), TokensResult)
    if print_data(output, answer, answer.tokens, (token.mint for token in answer.tokens)):
        return ExitCode.OK
    from orderctl.display.tables import plain_table, print_whole

    table = plain_table(("TOKEN", "left"), ("DECIMALS", "right"), ("MINT", "left"))
    for token in answer.tokens:
        table.add_row(token.symbol, str(token.decimals), token.mint)
    print_whole(table, console(settings))
    return ExitCode.OK
