"""orderctl amend"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, narrate
from orderctl.trading.amending import amend
from orderctl.trading.lookup import OneOrder
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.submissions import AmendParams


def run(
    ctx: typer.Context,
    order: OneOrder,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="The new total amount, like 2.")
    ] = None,
    limit: Annotated[str | None, typer.Option("--limit", metavar="PRICE", help="The new limit price.")] = None,
    stop: Annotated[str | None, typer.Option("--stop", metavar="PRICE", help="The new stop price.")] = None,
    take_profit: Annotated[
        str | None, typer.Option("--take-profit", metavar="PRICE", help="The new take-profit price.")
    ] = None,
    trail: Annotated[
        str | None, typer.Option("--trail", metavar="DISTANCE", help="The new distance of a trailing stop.")
    ] = None,
    max_slippage: Annotated[
        str | None,
        typer.Option("--max-slippage", metavar="PERCENT", help="The new maximum slippage of a triggered stop."),
    ] = None,
    min_out: Annotated[
        str | None, typer.Option("--min-out", metavar="AMOUNT", help="The new minimum of TOKEN_OUT to accept.")
    ] = None,
    valid_for: Annotated[
        str | None, typer.Option("--valid-for", metavar="TIME", help="The new validity from now, like 5m.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="The new expiry time, like 2026-12-01T09:30:00Z.")
    ] = None,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Change the price, the amount or the validity of a resting order.

    The order keeps its id. The change is atomic: the order triggers either with its old or with its new terms. An order
    that has triggered or ended cannot be changed.
    """
    settings = settings_of(ctx, output)
    changes = {
        "amount_in": amount,
        "limit_price": limit,
        "stop_price": stop,
        "take_profit_price": take_profit,
        "trail": trail,
        "max_slippage": max_slippage,
        "min_out": min_out,
        "valid_for": valid_for,
        "expires": expires,
    }
    params = params_of(
        AmendParams, order=order, **{name: value for name, value in changes.items() if value is not None}
    )
    if not params.changes:
        raise ConfigError(
            "There is nothing to change", "no option with a new value is given", "see: orderctl amend --help"
        )
    if amended := amend(settings, params, output):
        from orderctl.display.conditions import reading

        narrate(settings, f"the order waits for {reading(amended)}")
    return ExitCode.OK
