"""orderctl tokens"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.display.formats import counted
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, narrate, print_data
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.command_line import CommandLine
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.tokens import (
    TokensFound,
    TokensNameParams,
    TokensNameResult,
    TokensResult,
    TokensSearchParams,
    TokensUnnameParams,
    TokensUnnameResult,
)

app = CommandLine()
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The symbol of the token.")]
Mint = Annotated[str, typer.Argument(metavar="MINT", help="Its mint address.")]


@app.callback(invoke_without_command=True)
def run(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> None:
    """List and search tokens, and assign symbols to mints.

    Every token can be traded by its mint address, whether or not it is listed.
    """
    if ctx.invoked_subcommand is None:
        _list(ctx, output)


@app.command("list")
def list_tokens(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """List the tokens with a symbol: the built-in ones and those that were added."""
    return _list(ctx, output)


@app.command()
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A part of a symbol or name, or a mint address.")],
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Search the token list."""
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        answer = client.call(Method.TOKENS_SEARCH, params_of(TokensSearchParams, text=text), TokensFound)
    if print_data(output, answer, answer.tokens, (token.mint for token in answer.tokens)):
        return ExitCode.OK
    if not answer.tokens:
        narrate(settings, "no token matches; any token can be traded by its mint address")
        return ExitCode.OK
    from orderctl.display.tables import plain_table, print_whole

    table = plain_table(("TOKEN", "left"), ("", "left"), ("MINT", "left"), ("NAME", "left"))
    for token in answer.tokens:
        mark = "pinned" if token.pinned else "verified" if token.verified else ""
        table.add_row(token.symbol, mark, token.mint, token.name)
    print_whole(table, console(settings))
    return ExitCode.OK


@app.command()
def add(ctx: typer.Context, symbol: Symbol, mint: Mint, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """Assign a symbol to a mint, if no other token has this symbol."""
    return _name(ctx, output, symbol, mint, pinned=False)


@app.command()
def pin(ctx: typer.Context, symbol: Symbol, mint: Mint, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """Assign a symbol to a mint, even if other tokens have this symbol."""
    return _name(ctx, output, symbol, mint, pinned=True)


@app.command()
def remove(ctx: typer.Context, symbol: Symbol, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """Remove a symbol that was added or pinned."""
    settings = settings_of(ctx, output)
    params = params_of(TokensUnnameParams, symbol=symbol)
    with Client(settings) as client:
        answer = client.call(Method.TOKENS_UNNAME, params, TokensUnnameResult)
    if not print_data(output, answer):
        narrate(settings, f"{symbol} was neither added nor pinned" if not answer.removed else f"removed {symbol}")
    return ExitCode.OK


def _list(ctx: typer.Context, output: Format) -> ExitCode:
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


def _name(ctx: typer.Context, output: Format, symbol: str, mint: str, *, pinned: bool) -> ExitCode:
    settings = settings_of(ctx, output)
    params = params_of(TokensNameParams, symbol=symbol, mint=mint, pinned=pinned)
    with Client(settings) as client:
        token = client.call(Method.TOKENS_NAME, params, TokensNameResult).token
    if print_data(output, token, ids=(token.mint,)):
        return ExitCode.OK
    from orderctl.display.tokens import about

    narrate(settings, f"{symbol} has {counted(token.decimals, 'decimal')}")
    for line in about((token,)):
        narrate(settings, line.plain)
    return ExitCode.OK
