"""The transition table: which events each state allows; terminal states allow only a rollback of a fill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain import order
from orderd.domain.order import (
    ACTIVE,
    CANCELLABLE,
    FILLED,
    HELD,
    IDLE,
    LEASED,
    RESTING,
    SIGNED,
    STAGES,
    STATES,
    TERMINAL,
    TRANSITIONS,
    UNFILLED,
    WAITING,
    WORKING,
    EventKind,
    IllegalTransitionError,
    OrderStatus,
    UnclearTransitionError,
    next_status,
    sources,
    target,
)

ONLY_WAY_BACK = (OrderStatus.CONFIRMED, EventKind.ROLLED_BACK)


@pytest.mark.parametrize("kind", EventKind)
@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_terminal_state_is_terminal(status: OrderStatus, kind: EventKind) -> None:
    if (status, kind) == ONLY_WAY_BACK:
        assert next_status(status, kind) is OrderStatus.SUBMITTED, "a rolled back fill is submitted again"
        return
    with pytest.raises(IllegalTransitionError, match=f"{kind} cannot happen to an order that is {status}"):
        next_status(status, kind)


def after(*path: tuple[EventKind, OrderStatus | None]) -> OrderStatus | None:
    status: OrderStatus | None = None
    for kind, to in path:
        status = next_status(status, kind, to)
    return status


@pytest.mark.parametrize("waits", [OrderStatus.PENDING, OrderStatus.OPEN])
def test_a_successful_order_passes_through_the_stages(waits: OrderStatus) -> None:
    """For an order executed at once and for one that rests; a failed attempt leads back to the waiting state."""
    to_a_worker = [(EventKind.TRIGGERED, None)] if waits is OrderStatus.OPEN else []
    to_the_chain = [*to_a_worker, (EventKind.STARTED, None), (EventKind.ROUTED, None), (EventKind.SUBMITTED, None)]
    path = [(EventKind.ACCEPTED, waits), *to_the_chain, (EventKind.RETRYING, waits), *to_the_chain]
    assert after(*path, (EventKind.CONFIRMED, None)) is OrderStatus.CONFIRMED


def test_a_resting_order_leaves_only_by_a_trigger_or_its_end() -> None:
    """A parent rests until its children have ended, and ends as they did. A restored order may have been traded
    since the backup."""
    leads_away = {kind for before, kind, to in TRANSITIONS if before is OrderStatus.OPEN and to is not before}
    ends = {EventKind.CANCELLED, EventKind.EXPIRED, EventKind.CONFIRMED, EventKind.FAILED}
    assert leads_away == {EventKind.TRIGGERED, EventKind.RECOVERED} | ends


def test_a_held_order_rests_after_its_release_or_ends() -> None:
    assert after((EventKind.ACCEPTED, OrderStatus.HELD), (EventKind.RELEASED, None)) is OrderStatus.OPEN
    assert after((EventKind.ACCEPTED, OrderStatus.HELD), (EventKind.AMENDED, OrderStatus.HELD)) is OrderStatus.HELD
    leads_away = {kind for before, kind, to in TRANSITIONS if before is OrderStatus.HELD and to is not before}
    assert leads_away == {EventKind.RELEASED, EventKind.CANCELLED, EventKind.EXPIRED}
    assert sources(EventKind.RELEASED) == HELD


def test_an_unsigned_attempt_may_be_routed_again() -> None:
    routed = [(EventKind.ACCEPTED, OrderStatus.PENDING), (EventKind.STARTED, None), (EventKind.ROUTED, None)]
    assert after(*routed, (EventKind.ROUTED, None), (EventKind.SUBMITTED, None)) is OrderStatus.SUBMITTED
    assert sources(EventKind.ROUTED) == {OrderStatus.ROUTING, OrderStatus.BUILDING}
    with pytest.raises(IllegalTransitionError):
        next_status(OrderStatus.SUBMITTED, EventKind.ROUTED)


def test_a_signed_order_cannot_be_cancelled_or_reclaimed() -> None:
    for kind in (EventKind.CANCELLED, EventKind.RECLAIMED, EventKind.STARTED):
        with pytest.raises(IllegalTransitionError):
            next_status(OrderStatus.SUBMITTED, kind)


def test_only_a_confirmation_can_be_rolled_back() -> None:
    assert sources(EventKind.ROLLED_BACK) == {OrderStatus.CONFIRMED}


def test_only_a_signed_order_can_become_unknown_and_it_stays_submitted() -> None:
    assert sources(EventKind.UNKNOWN) == {OrderStatus.SUBMITTED}
    assert target(EventKind.UNKNOWN) is OrderStatus.SUBMITTED


def test_only_a_submitted_order_is_confirmed() -> None:
    assert sources(EventKind.CONFIRMED) == SIGNED | RESTING, "or a parent whose children were submitted"


def test_every_kind_of_event_has_a_transition() -> None:
    assert {kind for _, kind, _ in TRANSITIONS} == {*EventKind}
    assert {to for _, _, to in TRANSITIONS} == {*OrderStatus}
    assert len({*TRANSITIONS}) == len(TRANSITIONS)


def test_an_event_with_several_targets_needs_one_named(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = (OrderStatus.SUBMITTED, EventKind.RETRYING, OrderStatus.ROUTING)
    monkeypatch.setattr(order, "TRANSITIONS", (*TRANSITIONS, elsewhere))

    with pytest.raises(UnclearTransitionError, match="retrying leads to open or pending or routing: say to which"):
        target(EventKind.RETRYING)
    with pytest.raises(UnclearTransitionError, match="say to which"):
        next_status(OrderStatus.SUBMITTED, EventKind.RETRYING)
    assert target(EventKind.RETRYING, OrderStatus.ROUTING) is OrderStatus.ROUTING
    assert next_status(OrderStatus.SUBMITTED, EventKind.RETRYING, OrderStatus.PENDING) is OrderStatus.PENDING
    assert next_status(OrderStatus.BUILDING, EventKind.RECLAIMED) is OrderStatus.PENDING
    assert sources(EventKind.RETRYING, OrderStatus.ROUTING) == {OrderStatus.SUBMITTED}
    assert sources(EventKind.RETRYING) == RESTING | WORKING | SIGNED


def test_an_event_cannot_lead_to_a_state_outside_the_table() -> None:
    with pytest.raises(IllegalTransitionError, match="submitted and make it failed"):
        next_status(OrderStatus.SUBMITTED, EventKind.RETRYING, OrderStatus.FAILED)
    with pytest.raises(UnclearTransitionError, match="leads to no state"):
        target(EventKind.RETRYING, OrderStatus.FAILED)
    assert sources(EventKind.RETRYING, OrderStatus.FAILED) == frozenset()


def test_every_state_has_one_phase() -> None:
    assert STATES.keys() == {*OrderStatus}
    assert sorted([*HELD, *RESTING, *WAITING, *WORKING, *SIGNED, *FILLED, *UNFILLED]) == sorted(OrderStatus)
    assert (LEASED, TERMINAL) == (WORKING | SIGNED, FILLED | UNFILLED)
    assert (ACTIVE, IDLE) == (IDLE | WAITING | LEASED, HELD | RESTING)


def test_a_states_permissions_follow_from_its_phase() -> None:
    assert CANCELLABLE == IDLE | WAITING | WORKING, "until it is signed"
    assert sources(EventKind.TRIGGERED) == RESTING
    assert sources(EventKind.RECLAIMED) == WORKING
    assert sources(EventKind.STARTED) == WAITING
    assert sources(EventKind.UNKNOWN) == SIGNED
    assert sources(EventKind.ROLLED_BACK) == FILLED


def test_the_stages_lead_from_acceptance_to_a_fill() -> None:
    assert [STATES[status].stage for status in STAGES] == list(range(len(STAGES)))
    assert STAGES[0] is target(EventKind.ACCEPTED, OrderStatus.PENDING)
    assert {STAGES[-1]} == FILLED
    assert {*OrderStatus} - {*STAGES} == UNFILLED | IDLE


def test_the_first_event_is_an_acceptance() -> None:
    with pytest.raises(IllegalTransitionError, match="not there yet"):
        next_status(None, EventKind.STARTED)


def test_every_active_state_can_reach_an_end() -> None:
    ends = {status for status, _, after in TRANSITIONS if after in TERMINAL}
    assert ends == ACTIVE


@given(st.lists(st.sampled_from([(kind, to) for _, kind, to in TRANSITIONS]), max_size=30))
def test_only_a_rollback_leaves_a_terminal_state(path: list[tuple[EventKind, OrderStatus]]) -> None:
    status: OrderStatus | None = None
    for kind, to in path:
        try:
            found = next_status(status, kind, to)
        except IllegalTransitionError:
            continue
        assert status not in TERMINAL or (status, kind) == ONLY_WAY_BACK
        status = found
