"""orderctl show and events: the details of an order."""

import json

from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, REFUSED_FOR_FUNDS, SIGNATURE, detail_of
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


class TestShow:
    def test_the_details_of_a_filled_order_are_shown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        out = orderctl("show", "0199d3a0").out

        for shown in (
            str(ORDER_ID),
            "confirmed in 1.0 s",
            "meteora_dlmm    152.104 USDC",
            "→ raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %",
            f"signature  {SIGNATURE}\n",
            "received   152.310211 USDC at 101.540141",
            "fee        0.000005 SOL",
            "+0.750 s",
        ):
            assert shown in out

    def test_an_order_whose_pool_is_that_of_a_child_shows_its_venue_only(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        detail = detail_of(FILLED)
        order = detail.order.model_copy(update={"pool": None, "route": ()})
        daemon.answers(Method.ORDER_GET, detail.model_copy(update={"order": order}))

        assert "venue      raydium\n" in orderctl("show", "0199d3a0").out

    def test_an_amended_order_has_a_quote_without_a_minimum(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        detail = detail_of(FILLED)
        order = detail.order.model_copy(update={"quoted_amount_out": "152.1", "min_amount_out": None})
        daemon.answers(Method.ORDER_GET, detail.model_copy(update={"order": order}))

        assert "quoted     152.1 USDC\n" in orderctl("show", "0199d3a0").out

    def test_a_failure_is_shown_with_the_programs_log(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(REFUSED_FOR_FUNDS))

        out = orderctl("show", "0199d3a0").out

        assert "error      FUNDS_INSUFFICIENT: the wallet holds 0.2 SOL" in out
        assert "next       see: orderctl balances" in out

    def test_json_has_events_attempts_and_failures(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        document = json.loads(orderctl("show", "0199d3a0", "-o", "json").out)

        assert document["schema"] == "orderctl.order_detail/1"
        assert [event["seq"] for event in document["events"]] == [1, 2, 3, 4, 5]
        assert document["attempts"][0]["signature"] == SIGNATURE
        assert document["failures"] == []

    def test_id_resolves_a_prefix(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        assert orderctl("show", "0199d3a0", "-o", "id").out == f"{ORDER_ID}\n"


class TestEvents:
    def test_events_are_a_table_a_document_or_lines(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        shown = orderctl("events", "0199d3a0")
        assert [line.split()[4] for line in shown.out.splitlines() if line.startswith("2025-11-21 09:30")] == [
            "accepted",
            "started",
            "routed",
            "submitted",
            "confirmed",
        ]
        whole = json.loads(orderctl("events", "0199d3a0", "-o", "json").out)
        assert (whole["schema"], whole["order_id"]) == ("orderctl.events/1", str(ORDER_ID))
        lines = orderctl("events", "0199d3a0", "-o", "jsonl").out.splitlines()
        assert [json.loads(line)["seq"] for line in lines] == [event["seq"] for event in whole["events"]]
