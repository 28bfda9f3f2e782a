"""orderctl halt"""

from typing import Annotated

import typer

from orderctl.config.settings import Settings, settings_of
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
        str, typer.Option("--reason", metavar="TEXT", help="Shown to everybody whose order is refused or waits.")
    ] = "no reason was given",
    cancel_open: Annotated[
        bool, typer.Option("--cancel-open", help="Then cancel all active orders; a signed one may still land.")
    ] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let trading go on.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --lift.")] = False,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Stop all new signatures and orders, in all processes, until the halt is lifted.

    When this returns, no further transaction is signed. Signed transactions are still sent and settled, because they
    may land. Waiting orders go on waiting while they are valid. The halt survives restarts. It needs a key with the
    scope admin, and does not ask; --lift shows who halted and why, and asks.
    """
    settings = settings_of(ctx, output)
    if lift and cancel_open:
        raise ConfigError("Halt or go on?", "--lift and --cancel-open are given", "leave one of them out")
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
        check_can_ask("To let trading go on")
        for halt in client.call(Method.STATUS, NoParams(), StatusResult).halts:
            narrate(settings, halt.summary)
        if not types("lift", "let orders be signed again? Type lift to go on:"):
            narrate(settings, "nothing was changed")
            return ExitCode.INTERRUPTED
    lifted = client.call(Method.LIFT, NoParams(), LiftResult)
    if not print_data(output, lifted):
        for halt in lifted.halts:
            print_line(halt.summary)
        if not lifted.halts:
            print_line("trading goes on" if lifted.lifted else "nothing was halted")
    return ExitCode.OK


def _cancel_all(client: Client, settings: Settings, output: DocumentFormat) -> ExitCode:
    """Nothing is signed any more, so none of them can continue while the others are cancelled."""
    wanted = [GetParams(order=str(order.id)) for order in active_orders(client)]
    cancelled, outcome = cancel_each(client, settings, wanted, output)
    narrate(settings, f"{len(cancelled)} orders cancelled; those that are signed end as their transactions do")
    return outcome
