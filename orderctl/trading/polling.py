"""Polls data that events do not contain while orders are followed: market prices and child orders."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from orderctl.config.settings import Settings
from orderctl.display.live_data import Height, LiveData
from orderctl.display.resting import is_family, is_open
from orderd.client.errors import ClientError, RefusedError
from orderd.client.protocol import params_of
from orderd.domain.order import RESTING, SIGNED, OrderKind
from orderd.wire.message import NoParams
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams, OrderView
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult

if TYPE_CHECKING:
    from orderd.client.connection import Client

PAUSE_SECONDS: Final = 2.0
BEFORE_SECONDS: Final = 0.1
"""The interval while no order is known yet."""
MAX_ORDERS: Final = 20
"""Maximum number of orders, and of pairs, per round."""


@contextmanager
def polling(settings: Settings, orders: Callable[[], Sequence[OrderView]], found: LiveData) -> Iterator[None]:
    """Update ``found`` repeatedly during the block, over a separate connection."""
    from orderd.client.connection import Client

    is_over = Event()

    def poll() -> None:
        polled: Sequence[OrderView] = ()
        with Client(settings) as client:
            while not is_over.wait(PAUSE_SECONDS if polled else BEFORE_SECONDS):
                if polled := orders():
                    with suppress(ClientError):  # unknown data is not shown
                        poll_once(client, polled, found)

    Thread(target=poll, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def pairs_at_rest(orders: Iterable[OrderView]) -> dict[tuple[str, str], OrderView]:
    """The pairs whose price resting orders wait for, with one order per pair. A TWAP waits for its time, not for a
    price.

    ``orders`` are sorted oldest first; the result begins with the pairs of the newest orders.
    """
    return {
        (order.token_in, order.token_out): order
        for order in reversed(list(orders))
        if is_open(order) and order.kind is not OrderKind.TWAP
    }


def poll_once(client: "Client", orders: Sequence[OrderView], found: LiveData) -> None:
    """Poll once. Raises ClientError if the daemon does not respond."""
    if any(order.status in SIGNED for order in orders):
        height = client.call(Method.STATUS, NoParams(), StatusResult).block_height
        if height is not None:
            now = time.monotonic()
            found.height = Height(height, now) if found.height is None else found.height.after(height, now)
    resting = [order for order in orders if order.status in RESTING]
    unpriced = [order for order in resting if is_family(order) or order.kind is OrderKind.TRAILING]
    for order in unpriced[:MAX_ORDERS]:
        params = params_of(GetParams, order=str(order.id))
        found.details[order.id] = client.call(Method.ORDER_GET, params, OrderDetail)
    for pair, order in list(pairs_at_rest(resting).items())[:MAX_ORDERS]:
        terms = params_of(QuoteParams, token_in=pair[0], token_out=pair[1], amount_in=order.amount_in)
        try:
            found.market[pair] = Fraction(client.call(Method.QUOTE, terms, QuoteResult).chosen.price)
        except RefusedError:
            found.market.pop(pair, None)
