"""orderctl halt"""

from typing import Annotated

import typer

from orderctl.config.settings import Settings, settings_of
from orderctl.display.formats import counted
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import check_can_ask, types
from orderctl.output.streams import OUTPUT, DocumentFormat, narrate, print_data, print_line
from orderctl.trading.cancelling import cancel_each
from orderctl.trading.paging import active_orders
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams
from orderd.wire.orders import GetParams
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult


def run(
    ctx: typer.Context,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Shown to every trader whose order is refused or waits.")
    ] = "no reason was given",
    cancel_open: Annotated[
        bool, typer.Option("--cancel-open", help="Then cancel all active orders; signed orders may still land.")
    ] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Resume trading.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation of --lift.")] = False,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Stop all new signatures and orders, in all processes, until the halt is lifted.

    When this command returns, no further transaction is signed. Signed transactions are still sent and settled, because
    they may land. Waiting orders keep waiting until they expire. The halt survives restarts. The command needs an API
    key with the scope admin, and does not ask for confirmation; --lift shows who halted and why, and asks.
    """
    settings = settings_of(ctx, output)
    if lift and cancel_open:
        raise ConfigError(
            "The options contradict each other", "--lift and --cancel-open are given", "leave one of them out"
        )
    with Client(settings) as client:
        if lift:
            return _lift(client, settings, output, yes=yes)
        halted = client.call(Method.HALT, params_of(HaltParams, reason=reason), HaltResult)
        if not print_data(output, halted):
            for halt in halted.halts:
                print_line(halt.summary)
        return _cancel_all(client, settings, output) if cancel_open else ExitCode.OK


def _lift(client: Client, settings: Settings, output: DocumentFormat, *, yes: bool) -> ExitCode:
    if not yes:
        check_can_ask("Resuming trading")
        for halt in client.call(Method.STATUS, NoParams(), StatusResult).halts:
            narrate(settings, halt.summary)
        if not types("lift", "resume trading? Type lift to confirm:"):
            narrate(settings, "nothing was changed")
            return ExitCode.INTERRUPTED
    lifted = client.call(Method.LIFT, NoParams(), LiftResult)
    if not print_data(output, lifted):
        for halt in lifted.halts:
            print_line(halt.summary)
        if not lifted.halts:
            print_line("trading is resumed" if lifted.lifted else "trading was not halted")
    return ExitCode.OK


def _cancel_all(client: Client, settings: Settings, output: DocumentFormat) -> ExitCode:
    """Cancel all active orders. During the halt nothing is signed, so none of them can progress meanwhile."""
    wanted = [GetParams(order=str(order.id)) for order in active_orders(client)]
    cancelled, outcome = cancel_each(client, settings, wanted, output)
    narrate(settings, f"{counted(len(cancelled), 'order')} cancelled; signed orders end as their transactions do")
    return outcome
