"""orderctl buy"""

from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format
from orderctl.trading.placing import DryRun, OwnId, Watch, Yes, place, watches
from orderctl.trading.terms import BUYING, Given, TradeCommand, takes_terms
from orderd.client.protocol import params_of
from orderd.wire.submissions import SubmitParams

COMMAND_CLASS = TradeCommand


@takes_terms(BUYING)
def run(
    ctx: typer.Context,
    given: Given,
    watch: Watch = None,
    client_order_id: OwnId = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Buy an exact amount of a token with another.

    \b
    orderctl buy SOL 1.5 --with USDC                              now, for what it costs
    orderctl buy SOL 1.5 --with USDC --max-in 155                 and never for more than 155 USDC
    orderctl buy SOL 1.5 --with USDC --then-take-profit 120 --then-stop 90
                                                                  and sell that again at either price

    The wallet receives exactly AMOUNT. The cost is limited to the first quote plus the slippage, over all attempts, and
    to --max-in. Except on simnet, the command shows the prices and asks for confirmation; the maximum cost that it
    shows is sent as --max-in. submit --exact-out does the same, with all options of submit.
    """
    settings = settings_of(ctx, output)
    follow = watches(output, watch, dry_run=dry_run)
    order = params_of(SubmitParams, **given, client_order_id=client_order_id or str(uuid7()))
    return place(ctx, settings, order, output, dry_run=dry_run, yes=yes, follow=follow)
