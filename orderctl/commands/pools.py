"""orderctl pools"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.display.formats import POOL_WIDTH, shorten
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, narrate, print_data
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.errors import ERRORS
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.rpc import Method


def run(
    ctx: typer.Context,
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="[TOKEN [TOKEN]]", help="Only pools of this token, or of this pair.")
    ] = None,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """List the pools with their reserves, prices and fees.

    The price is that of one first token in second tokens, before fees. -o wide shows full addresses and slots.
    """
    settings = settings_of(ctx, output)
    if len(tokens or ()) > 2:
        raise ConfigError("Which pools?", "give one token, or both tokens of a pair", "see: orderctl tokens")
    params = params_of(PoolsParams, token=tuple(tokens or ()))
    with Client(settings) as client:
        answer = client.call(Method.POOLS, params, PoolsResult)
    ids = (pool.address for pool in answer.pools)
    if not print_data(output, answer, answer.pools, ids) and answer.pools:
        from orderctl.display.tables import Column, fitting_table, print_whole

        wide = output == "wide"
        more: tuple[Column, ...] = (("SLOT", "right"),) if wide else ()
        columns: tuple[Column, ...] = (
            ("KIND", "left"),
            ("PAIR", "left"),
            ("PRICE", "right"),
            ("FEE", "right"),
            ("HOLDS", "right"),
            ("", "right"),
            *more,
            ("POOL", "left"),
        )
        rows = [
            (
                pool.kind,
                f"{pool.token_a}/{pool.token_b}",
                pool.price,
                f"{pool.fee} %",
                f"{pool.reserve_a} {pool.token_a}",
                f"{pool.reserve_b} {pool.token_b}",
                *((str(pool.slot), pool.address) if wide else (shorten(pool.address, POOL_WIDTH),)),
            )
            for pool in answer.pools
        ]
        spared = () if wide else (frozenset({"HOLDS", ""}),)
        print_whole(fitting_table(columns, rows, spared=spared), console(settings))
    # A venue that does not respond appears once per pair.
    for line in dict.fromkeys(f"excluded: {no.venue}: {no.code}: {no.detail}" for no in answer.refusals):
        narrate(settings, line)
    if answer.pools:
        return ExitCode.OK
    narrate(settings, "no pool trades this" if tokens else "no pools")
    return ExitCode.CONNECTION if any(ERRORS[no.code].retryable for no in answer.refusals) else ExitCode.OK
