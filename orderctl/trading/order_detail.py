"""Reads all details of an order."""

from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams
from orderd.wire.rpc import Method


def order_detail(client: Client, order: str) -> OrderDetail:
    """Read an order by id, prefix or client order id. Raises what Client.call raises."""
    with suggesting(client):
        return client.call(Method.ORDER_GET, params_of(GetParams, order=order), OrderDetail)
