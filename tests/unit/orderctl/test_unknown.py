"""Unknown outcomes and rolled back fills, from a trader's point of view."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.console import Console

from orderctl.config.settings import Settings
from orderctl.display.cells import Showing
from orderctl.display.columns import COLUMNS
from orderctl.display.progress import LiveProgress
from orderctl.display.timeline import OrderTimeline
from orderctl.output.colours import Tone
from orderctl.tui.filter import matches
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderStatus
from orderd.wire.order_detail import AttemptView, EvidenceResult, ResolveResult
from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from tests.samples.orders import (
    FILL,
    FILLED,
    ORDER_ID,
    OUTCOME_UNKNOWN,
    RAYDIUM,
    ROLLED_BACK,
    SIGNATURE,
    START,
    detail_of,
    history,
    order_after,
)
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

UNKNOWN = order_after(history(OUTCOME_UNKNOWN))
EVIDENCE = EvidenceResult(
    order=UNKNOWN,
    attempt=AttemptView(
        number=1,
        signature=SIGNATURE,
        venue=RAYDIUM.venue,
        pool=RAYDIUM.pool,
        min_amount_out="151.54866",
        last_valid_block_height=960,
        sends=41,
        outcome="live",
        signed_at=START,
    ),
    blockhash_slot=870,
    finalized_height=1_290,
    status="not found",
    paid_by_wallet=(),
    trouble="",
)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Simulates a terminal on which a user types this."""

    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
        monkeypatch.setattr("orderctl.output.prompt.can_ask", lambda: True)

    return type_in


class TestShown:
    def test_a_list_shows_unknown_and_a_document_since_when(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(UNKNOWN,), next_cursor=None))
        assert orderctl("list").out.splitlines()[1].split()[1] == "unknown"
        (order,) = json.loads(orderctl("list", "-o", "json").out)["orders"]
        assert (order["status"], order["unknown_since"]) == ("submitted", "2025-11-21T09:30:01Z")

    def test_the_details_name_the_operators_next_step(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(OUTCOME_UNKNOWN))
        shown = orderctl("show", "0199d3a0").out
        assert "unknown since" in shown
        assert f"orderctl resolve {ORDER_ID}" in shown
        assert "its outcome is unknown so far" in shown

    def test_the_status_counts_unknown_outcomes(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"unknown": 2}))
        assert "2 unknown" in orderctl("status").out

    def test_the_tui_filters_unknown_outcomes(self) -> None:
        assert COLUMNS["status"].cell(UNKNOWN, Showing(datetime.now(UTC))) == (("unknown", Tone.ALARM),)
        assert matches(UNKNOWN, ("unknown",))

    def test_a_watch_that_times_out_reports_the_unknown_outcome(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history(OUTCOME_UNKNOWN))
        outcome = orderctl("watch", str(ORDER_ID), "--for", "0.3")
        assert outcome.code == 5
        assert "the outcome is unknown of" in outcome.err
        assert f"orderctl resolve {ORDER_ID}" in outcome.err

    def test_the_live_display_shows_unknown_until_resolved(self) -> None:
        timeline = OrderTimeline(UNKNOWN, history(OUTCOME_UNKNOWN))
        assert timeline.unknown_since == history(OUTCOME_UNKNOWN)[-1].at
        progress = LiveProgress(Settings(url="ws://127.0.0.1:1/"))
        progress._timeline = timeline
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(progress.render())
        assert "unknown" in out.getvalue()
        timeline.apply(history((*OUTCOME_UNKNOWN, FILL))[-1])
        assert timeline.unknown_since is None


class TestRolledBack:
    def test_a_rolled_back_order_is_active_again_with_a_note(self) -> None:
        events = history(ROLLED_BACK)
        timeline = OrderTimeline(order_after(events), events)
        assert not timeline.is_over
        assert [span.stage for span in timeline.spans][-1] is OrderStatus.SUBMITTED
        assert timeline.spans[-1].end is None
        progress = LiveProgress(Settings(url="ws://127.0.0.1:1/"))
        progress._timeline = timeline
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(progress.render())
        assert "was rolled back" in out.getvalue()

    def test_a_later_watch_continues_past_the_rolled_back_fill(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history((*ROLLED_BACK, FILL.model_copy(update={"slot": 822}))))
        outcome = orderctl("watch", str(ORDER_ID), "--for", "20")
        assert outcome.code == 0
        assert "slot 815" in outcome.out
        assert "slot 822" in outcome.out


class TestResolve:
    @pytest.fixture(autouse=True)
    def _evidence(self, daemon: FakeDaemon) -> None:
        daemon.answers(Method.ORDER_EVIDENCE, EVIDENCE)
        daemon.answers(Method.ORDER_RESOLVE, ResolveResult(order=order_after(history(FILLED))))

    def resolved(self, daemon: FakeDaemon) -> list[dict[str, object]]:
        return [params for method, params in daemon.calls if method == Method.ORDER_RESOLVE]

    def test_resolve_without_an_outcome_only_shows_the_evidence(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        outcome = orderctl("resolve", "0199d3a0")
        assert outcome.code == 0
        for words in (SIGNATURE, "block 1290 is final: it can no longer land", "not found", "unknown"):
            assert words in outcome.out
        assert self.resolved(daemon) == []

    def test_evidence_is_available_as_json(self, orderctl: Orderctl) -> None:
        document = json.loads(orderctl("resolve", "0199d3a0", "-o", "json").out)
        assert document["schema"] == "orderctl.evidence/1"
        assert document["attempt"]["last_valid_block_height"] == 960

    def test_a_failed_query_of_the_chain_is_shown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        silent = EVIDENCE.model_copy(update={"trouble": "connection refused", "finalized_height": None})
        daemon.answers(Method.ORDER_EVIDENCE, silent)
        assert "does not respond: connection refused" in orderctl("resolve", "0199d3a0").out

    @pytest.mark.parametrize("word", ["dead", "landed"])
    def test_the_outcome_must_be_typed_after_the_evidence(
        self, daemon: FakeDaemon, orderctl: Orderctl, typed: Callable[[str], None], word: str
    ) -> None:
        flags = ("--dead",) if word == "dead" else ("--landed", SIGNATURE)
        for wrong in ("y", "yes", "", "DEAD"):
            typed(wrong)
            outcome = orderctl("resolve", "0199d3a0", *flags)
            assert outcome.code == 130
            assert "not found" in outcome.err, "the evidence comes first"
        assert self.resolved(daemon) == []
        typed(word)
        assert orderctl("resolve", "0199d3a0", *flags).code == 0
        said = {"dead": True} if word == "dead" else {"landed": SIGNATURE}
        assert self.resolved(daemon) == [{"order": str(ORDER_ID)} | said]

    def test_resolve_without_a_terminal_needs_yes(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert orderctl("resolve", "0199d3a0", "--dead").code == 2
        assert self.resolved(daemon) == []
        outcome = orderctl("resolve", "0199d3a0", "--dead", "--yes")
        assert (outcome.code, outcome.out) == (0, f"{ORDER_ID}  confirmed\n")

    def test_two_outcomes_are_refused(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert orderctl("resolve", "0199d3a0", "--dead", "--landed", SIGNATURE, "--yes").code == 2
        assert daemon.calls == []

    def test_a_refusal_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_RESOLVE, OrderdError(ErrorCode.ORDER_NOT_RESOLVABLE, "the chain may still tell"))
        outcome = orderctl("resolve", "0199d3a0", "--dead", "--yes")
        assert outcome.code == 1
        assert "error[ORDER_NOT_RESOLVABLE]" in outcome.err
