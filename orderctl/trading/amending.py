"""Changes a resting order and prints its new state."""

from orderctl.config.settings import Settings
from orderctl.output.streams import DocumentFormat, print_data, print_line
from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client
from orderd.wire.orders import OrderView
from orderd.wire.rpc import Method
from orderd.wire.submissions import AmendParams, AmendResult


def amend(settings: Settings, params: AmendParams, output: DocumentFormat) -> OrderView | None:
    """Amend an order. Returns it if more text may follow, and None after JSON output. Raises what Client.call
    raises."""
    with Client(settings) as client, suggesting(client):
        amended = client.call(Method.ORDER_AMEND, params, AmendResult).order
    if print_data(output, amended):
        return None
    print_line(f"{amended.id}  {amended.status}")
    return amended
