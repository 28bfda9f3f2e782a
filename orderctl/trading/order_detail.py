"""All that is known of the order that a trader names."""

from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams
from orderd.wire.rpc import Method


def order_detail(client: Client, order: str) -> OrderDetail:
    """Raises what Client.call raises."""
    with suggesting(client):
        return client.call(Method.ORDER_GET, params_of(GetParams, order=order), OrderDetail)
