"""Cancels orders one after another; a refusal of one does not stop the others."""

from collections.abc import Callable, Iterable

from orderctl.config.settings import Settings
from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import report
from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client
from orderd.client.errors import RefusedError
from orderd.wire.orders import CancelResult, GetParams, OrderView
from orderd.wire.rpc import Method


def cancel_each(
    client: Client,
    settings: Settings,
    wanted: Iterable[GetParams],
    output: str,
    on_cancelled: Callable[[OrderView], None] = lambda _: None,
) -> tuple[list[OrderView], ExitCode]:
    """Cancel orders. Returns those that are cancelled or marked for cancelling, and the exit code of the first refusal.

    Refusals are reported. Raises what else Client.call raises.
    """
    cancelled: list[OrderView] = []
    outcome = ExitCode.OK
    for params in wanted:
        try:
            with suggesting(client):
                order = client.call(Method.ORDER_CANCEL, params, CancelResult).order
        except RefusedError as error:
            refused = report(error, output, settings.color)
            outcome = outcome or refused
            continue
        cancelled.append(order)
        on_cancelled(order)
    return cancelled, outcome
