"""A trace shows an order's life: turns with their states, retries and family, with deterministic ids."""

from datetime import timedelta
from uuid import UUID

from orderd.domain.errors import ErrorCode
from orderd.domain.order import EventKind
from orderd.engine.records.traces import SpanRef, TraceSpan, event_attributes, trace_of
from tests.samples.orders import FILLED, REFUSED_FOR_FUNDS, RETRIED, ROLLED_BACK, START, detail_of

PARENT = UUID("0199d3a0-1234-7abc-8def-00000000000a")


def named(spans: list[TraceSpan]) -> dict[str, TraceSpan]:
    return {each.name: each for each in spans}


def test_a_filled_order_has_a_turn_with_its_states() -> None:
    spans = trace_of(detail_of(FILLED))
    assert [each.name for each in spans] == [
        "order SOL/USDC",
        "attempt 1",
        *("pending", "routing", "building", "submitted"),
    ]
    by_name = named(spans)
    root, turn = spans[0], by_name["attempt 1"]
    assert (root.parent, turn.parent, by_name["pending"].parent) == (None, root.ref, root.ref)
    assert {by_name[state].parent for state in ("routing", "building", "submitted")} == {turn.ref}
    assert root.ref.trace_id == spans[-1].ref.trace_id == detail_of(FILLED).order.id.int
    assert turn.attributes["orderd.attempt.outcome"] == "landed"
    assert [each.data.kind for each in root.events] == [EventKind.CONFIRMED]
    assert {each.error for each in spans} == {""}


def test_spans_cover_the_time_from_acceptance_to_the_end_without_gaps() -> None:
    spans = trace_of(detail_of(FILLED))
    states = spans[2:]
    assert [each.began for each in states[1:]] == [each.ended for each in states[:-1]]
    assert (spans[0].began, states[0].began) == (START, START)
    assert states[-1].ended == spans[0].ended == spans[1].ended
    assert all(each.ended - each.began >= timedelta() for each in spans)


def test_a_retry_links_to_the_previous_turn_which_names_its_error() -> None:
    by_name = named(trace_of(detail_of(RETRIED)))
    first, second = by_name["attempt 1"], by_name["attempt 2"]
    assert [(link.to, link.why) for link in second.links] == [(first.ref, "retry")]
    assert (first.links, first.error, second.error) == ([], ErrorCode.TX_EXPIRED, "")
    assert "pending" in by_name


def test_a_failed_order_has_its_error_and_no_transaction() -> None:
    spans = trace_of(detail_of(REFUSED_FOR_FUNDS))
    assert (spans[0].error, spans[1].error) == (ErrorCode.FUNDS_INSUFFICIENT,) * 2
    assert "orderd.attempt.signature" not in spans[1].attributes
    assert event_attributes(spans[0].events[0])["orderd.code"] == ErrorCode.FUNDS_INSUFFICIENT


def test_a_rolled_back_fill_is_shown_and_the_order_continues() -> None:
    spans = trace_of(detail_of(ROLLED_BACK))
    assert "confirmed" in named(spans), "the state before the rollback is missing"


def test_an_order_links_to_its_family() -> None:
    whole = detail_of(FILLED)
    child = whole.order.model_copy(update={"id": UUID(int=9)})
    member = whole.model_copy(
        update={"order": whole.order.model_copy(update={"parent_id": PARENT, "entry_id": PARENT}), "children": (child,)}
    )
    assert [(link.to, link.why) for link in trace_of(member)[0].links] == [
        (SpanRef(PARENT, ""), "parent"),
        (SpanRef(PARENT, ""), "entry"),
        (SpanRef(child.id, ""), "child"),
    ]


def test_an_order_always_has_the_same_trace_with_unique_span_ids() -> None:
    spans = trace_of(detail_of(RETRIED))
    ids = [each.ref.span_id for each in spans]
    assert ids == [each.ref.span_id for each in trace_of(detail_of(RETRIED))]
    assert len(set(ids)) == len(ids)
    assert all(0 < each < 2**64 for each in ids)


def test_an_order_without_stored_events_is_a_single_span() -> None:
    (root,) = trace_of(detail_of(FILLED).model_copy(update={"events": ()}))
    assert (root.began, root.ended) == (START, detail_of(FILLED).order.updated_at)
