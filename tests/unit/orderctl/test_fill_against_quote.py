"""How an order's fill is compared with its quote."""

import io

import pytest
from rich.console import Console

from orderctl.display.detail import detail_view
from orderd.wire.order_detail import OrderDetail
from tests.samples.orders import FILLED, detail_of


def drawn(detail: OrderDetail) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(detail_view(detail))
    return out.getvalue()


@pytest.mark.parametrize(
    ("received", "words"),
    [
        ("152.310211", ", as quoted"),
        ("152.386366", ", 5.00 bp better than quoted"),
        ("152.157901", ", 10.00 bp worse than quoted"),
    ],
)
def test_a_sale_is_better_if_it_received_more(received: str, words: str) -> None:
    detail = detail_of(FILLED)
    order = detail.order.model_copy(update={"quoted_amount_out": "152.310211", "amount_out": received})
    assert words in drawn(detail.model_copy(update={"order": order}))


def test_a_purchase_is_better_if_it_cost_less_and_parents_are_not_compared() -> None:
    detail = detail_of(FILLED)
    bought = {"exact_out": "150", "quoted_amount_out": "150", "quoted_amount_in": "1.5", "amount_in": "1.4985"}
    order = detail.order.model_copy(update=bought | {"amount_out": "150"})
    assert ", 10.00 bp better than quoted" in drawn(detail.model_copy(update={"order": order}))
    parent = order.model_copy(update={"filled_amount_in": "1.4985"})
    assert "quoted," not in drawn(detail.model_copy(update={"order": parent}))
