"""How a list of orders looks on a terminal."""

from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from orderctl.display.tables import local_time, plain_table, short_ids, status_text
from orderctl.output.colours import Tone
from orderd.domain.order import OrderStatus
from orderd.wire import OrderView


def orders_table(orders: tuple[OrderView, ...], *, wide: bool) -> Table:
    """``wide`` adds what does not fit in 80 columns: price, venue, attempts, client order id and signature."""
    table = plain_table(
        ("ID", "left"), ("STATUS", "left"), ("SELL", "right"), ("RESULT", "right"), ("CREATED", "right")
    )
    if wide:
        for name in ("PRICE", "ATTEMPT"):
            table.add_column(name, justify="right", no_wrap=True)
        for name in ("VENUE", "CLIENT ORDER ID", "SIGNATURE"):
            table.add_column(name, no_wrap=True)
    ids = short_ids(order.id for order in orders)
    now = datetime.now(UTC)
    for order in orders:
        cells: list[Text | str] = [
            Text(str(order.id) if wide else ids[order.id], "bold"),
            status_text(order.status, is_unknown=order.unknown_since is not None),
            f"{order.amount_in} {order.token_in}",
            result(order),
            local_time(order.created_at, now),
        ]
        if wide:
            cells += [order.executed_price or "-", str(order.attempt), order.venue or "-"]
            cells += [order.client_order_id, order.signature or "-"]
        table.add_row(*cells)
    return table


def result(order: OrderView) -> Text:
    """What came of it: the fill, the code of the failure, or what is being bought."""
    if order.status is OrderStatus.CONFIRMED:
        return Text(f"{order.amount_out} {order.token_out}", Tone.GOOD)
    if order.error is not None:
        return Text(order.error.code, Tone.BAD)
    return Text(f"→ {order.token_out}", "dim")
