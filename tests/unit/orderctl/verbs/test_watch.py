"""orderctl watch: following an order to its end."""

import json

import pytest

from tests.samples.orders import FILLED, ORDER_ID, REFUSED_FOR_FUNDS, SIGNATURE, WITHDRAWN, history
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


class TestWatch:
    def test_events_are_reported_line_by_line_in_a_pipe(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history(FILLED))
        below = " " * len("2025-11-21 09:30:00.000     +0.000 s  accepted   ")

        assert orderctl("watch", str(ORDER_ID)) == (
            0,
            f"order {ORDER_ID}\n"
            "2025-11-21 09:30:00.000     +0.000 s  accepted   sell 1.5 SOL for USDC, slippage at most 0.5 %\n"
            "2025-11-21 09:30:00.250     +0.250 s  started    attempt 1\n"
            "2025-11-21 09:30:00.500     +0.500 s  routed     "
            "→ raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %\n"
            f"{below}  meteora_dlmm    152.104 USDC at 101.402667, impact 0.05 %\n"
            f"{below}  chosen: raydium_cpmm 7Xawhb…mX, for at least 151.54866 USDC\n"
            f"2025-11-21 09:30:00.750     +0.750 s  submitted  signature {SIGNATURE}\n"
            f"{below}expires at block 960\n"
            "2025-11-21 09:30:01.000     +1.000 s  confirmed  received 152.310211 USDC at 101.540141 USDC per SOL\n"
            f"{below}fee 0.000005 SOL, slot 815\n",
            "",
        )

    @pytest.mark.parametrize("output", ["json", "jsonl"])
    def test_json_streams_one_event_per_line(self, daemon: FakeDaemon, orderctl: Orderctl, output: str) -> None:
        daemon.knows(*history(FILLED))

        lines = [json.loads(line) for line in orderctl("watch", str(ORDER_ID), "-o", output).out.splitlines()]

        assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
        assert {line["schema"] for line in lines} == {"orderctl.event/1"}
        assert lines[-1]["data"]["amount_out"] == "152.310211"
        assert lines[-1]["at"] == "2025-11-21T09:30:01Z"

    @pytest.mark.parametrize(("facts", "code"), [(FILLED, 0), (REFUSED_FOR_FUNDS, 1), (WITHDRAWN, 1)])
    def test_the_exit_code_follows_the_final_state(
        self, daemon: FakeDaemon, orderctl: Orderctl, facts: tuple[object, ...], code: int
    ) -> None:
        daemon.knows(*history(facts))  # type: ignore[arg-type]

        assert orderctl("watch", "0199d3a0").code == code

    @pytest.mark.parametrize(("facts", "code"), [(FILLED, 0), (WITHDRAWN, 1)])
    def test_an_order_without_events_exits_at_once_with_its_final_state(
        self, daemon: FakeDaemon, orderctl: Orderctl, facts: tuple[object, ...], code: int
    ) -> None:
        daemon.knows(*history(facts), kept=0)  # type: ignore[arg-type]

        outcome = orderctl("watch", str(ORDER_ID))

        assert (outcome.code, outcome.out) == (code, f"order {ORDER_ID}\n")
        assert "the daemon has deleted the events after 0" in outcome.err

    def test_an_unknown_order_exits_with_6(self, orderctl: Orderctl) -> None:
        outcome = orderctl("watch", "no-such-order")

        assert outcome.code == 6
        assert "error[ORDER_NOT_FOUND]" in outcome.err

    @pytest.mark.parametrize("limit", ["0.05", "1s"])
    def test_a_timeout_exits_with_5(self, daemon: FakeDaemon, orderctl: Orderctl, limit: str) -> None:
        daemon.knows(*history(FILLED[:3]))

        outcome = orderctl("watch", str(ORDER_ID), "--for", limit)

        assert outcome.code == 5
        assert f"follow it with: orderctl watch {ORDER_ID}" in outcome.err
