"""orderctl oco"""

from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format
from orderctl.trading.placing import DryRun, OwnId, Watch, Yes, place, watches
from orderctl.trading.terms import Given, TradeCommand, takes_terms
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.submissions import SubmitParams

COMMAND_CLASS = TradeCommand


@takes_terms()
def run(
    ctx: typer.Context,
    given: Given,
    watch: Watch = None,
    client_order_id: OwnId = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Sell at a higher or a lower price, whichever is reached first.

    \b
    orderctl oco SOL USDC 1.5 --take-profit 120 --stop 95
    orderctl oco USDC SOL 150 --take-profit 90 --stop 110   buys, below or above the market

    --take-profit and --stop are required. Two orders rest for the same amount. What one of them sells, the other cannot
    sell; it is cancelled when the fill of the first is final.
    """
    settings = settings_of(ctx, output)
    if not given.keys() >= {"take_profit_price", "stop_price"}:
        raise ConfigError("The command line cannot be understood", "--take-profit and --stop are required", "give both")
    order = params_of(SubmitParams, **given, client_order_id=client_order_id or str(uuid7()))
    follow = watches(output, watch, dry_run=dry_run)
    return place(ctx, settings, order, output, dry_run=dry_run, yes=yes, follow=follow)
