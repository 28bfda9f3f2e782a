from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.display.detail import timeline_lines
from orderctl.display.facts import describe
from orderctl.display.formats import duration, percent, shorten
from orderctl.display.timeline import OrderTimeline
from orderd.domain.events import AnyFact, LeftOver, Reclaimed
from orderd.domain.order import Floor, OrderStatus
from orderd.wire.order_detail import OrderDetail
from tests.samples.orders import (
    ACCEPTED,
    FILL,
    FILLED,
    REFUSED_FOR_FUNDS,
    RETRIED,
    ROUTED,
    SPLIT,
    START,
    WITHDRAWN,
    history,
    order_after,
)

EVENTS = history(FILLED)


def timeline_of(facts: tuple[AnyFact, ...]) -> OrderTimeline:
    events = history(facts)
    return OrderTimeline(order_after(events), events)


def test_each_stage_lasts_from_the_event_that_led_to_it_to_the_next() -> None:
    spans = timeline_of(FILLED[:4]).spans

    assert [span.stage for span in spans] == ["pending", "routing", "building", "submitted"]
    now = START + timedelta(seconds=10)
    assert [span.seconds(now) for span in spans] == [0.25, 0.25, 0.25, 9.25]


def test_a_clock_behind_the_daemons_makes_no_negative_time() -> None:
    assert timeline_of(FILLED[:1]).spans[0].seconds(START - timedelta(seconds=5)) == 0.0


def test_a_retry_begins_the_stages_again_and_drops_the_old_quotes() -> None:
    waiting = timeline_of(RETRIED[:6])

    assert [span.stage for span in waiting.spans] == ["pending"]
    assert waiting.routed is None
    assert waiting.wait == RETRIED[5]
    assert [event.data for event in waiting.failed_attempts] == [RETRIED[5]]
    assert timeline_of(RETRIED).routed == RETRIED[7]
    assert timeline_of(RETRIED).attempt == 2


def test_a_second_route_replaces_the_first_and_building_continues() -> None:
    other = ROUTED.model_copy(update={"min_amount_out": "150"})
    rerouted = timeline_of((*FILLED[:3], other))

    assert [span.stage for span in rerouted.spans] == ["pending", "routing", "building"]
    assert rerouted.spans[-1].start == rerouted.events[2].at
    assert rerouted.routed == other
    assert rerouted.failed_attempts == ()


@pytest.mark.parametrize("facts", [FILLED, RETRIED, REFUSED_FOR_FUNDS, WITHDRAWN])
def test_a_timeline_is_over_with_its_terminal_event(facts: tuple[AnyFact, ...]) -> None:
    over = [timeline_of(facts[:count]).is_over for count in range(1, len(facts) + 1)]

    assert over == [False] * (len(facts) - 1) + [True]
    assert timeline_of(facts).end == facts[-1]


def test_a_timeline_of_an_ended_order_is_not_over_before_its_last_event() -> None:
    timeline = OrderTimeline(order_after(EVENTS), EVENTS[:2])

    assert timeline.status is OrderStatus.CONFIRMED
    assert not timeline.is_over


def test_an_order_without_events_has_the_daemons_final_state() -> None:
    order = order_after(EVENTS)
    timeline = OrderTimeline(order, deleted_up_to=order.seq)

    assert timeline.is_over
    assert (timeline.status, timeline.end, timeline.spans) == (OrderStatus.CONFIRMED, None, ())
    assert (timeline.received, timeline.ended_at) == (order.amount_out, order.updated_at)
    assert timeline_of(FILLED).received == FILL.amount_out
    assert (timeline_of(FILLED[:4]).received, timeline_of(FILLED[:4]).ended_at) == (None, None)
    detail = OrderDetail(order=order, events=(), attempts=(), failures=())
    assert [line.plain for line in timeline_lines(detail)] == ["its events have been deleted"]


def test_a_restarted_timeline_continues_with_later_events() -> None:
    timeline = OrderTimeline(order_after(EVENTS[:3]), deleted_up_to=3)
    timeline.apply(EVENTS[2])
    assert (timeline.events, timeline.status, timeline.is_over) == ((), EVENTS[2].status, False)
    for event in EVENTS[3:]:
        timeline.apply(event)
    assert (timeline.events, timeline.is_over, timeline.end) == (EVENTS[3:], True, FILLED[-1])


def test_repeated_events_change_nothing() -> None:
    assert OrderTimeline(order_after(EVENTS), (*EVENTS[:3], *EVENTS[:2])).events == EVENTS[:3]


def test_every_event_has_a_description() -> None:
    order = order_after(EVENTS)
    described = [
        " | ".join(describe(fact, order, signature_width=12)) for fact in (*RETRIED[:6], Reclaimed(), FILLED[-1])
    ]

    assert described == [
        "sell 1.5 SOL for USDC, slippage at most 0.5 %",
        "until 2025-11-21 09:30:02.000: the rate limit of 100 starts in 60 s is reached",
        "attempt 1",
        "→ raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %"
        " |   meteora_dlmm    152.104 USDC at 101.402667, impact 0.05 %"
        " |   chosen: raydium_cpmm 7Xawhb…mX, for at least 151.54866 USDC",
        "signature 5Xk3aaaa…fQa | expires at block 960",
        "attempt 1: TX_EXPIRED: block height 1,013 passed without the transaction | "
        "next attempt at 2025-11-21 09:30:09.000",
        "its worker died before signing; the order is queued again",
        "received 152.310211 USDC at 101.540141 USDC per SOL | fee 0.000005 SOL, slot 815",
    ]


def test_only_own_terms_are_described() -> None:
    own = order_after(EVENTS).model_copy(update={"min_out": "150", "max_cost": "1", "floor": Floor.EACH})
    assert describe(FILLED[0], own) == [
        "sell 1.5 SOL for USDC, slippage at most 0.5 %, at least 150 USDC, cost at most 1 %, "
        "a new floor in each attempt"
    ]
    wrapped = order_after(EVENTS).model_copy(update={"use_wrapped": True})
    assert describe(FILLED[0], wrapped) == ["sell 1.5 wrapped SOL for USDC, slippage at most 0.5 %"]


def test_the_label_of_an_order_is_shown_as_a_label() -> None:
    labelled = ACCEPTED.model_copy(update={"label": "desk"})
    assert describe(labelled, order_after(EVENTS))[1:] == ["label: wallet desk"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0432, "43 ms"),
        (0.9996, "1.0 s"),
        (1.449, "1.4 s"),
        (59.97, "1:00"),
        (61, "1:01"),
        (3725, "1:02:05"),
    ],
)
def test_durations_are_readable_at_every_length(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("bps", "text"), [("0", "0"), ("5", "0.05"), ("2.1", "0.021"), ("10000", "100")])
def test_basis_points_are_reported_in_percent(bps: str, text: str) -> None:
    assert percent(bps) == text


@given(st.text(min_size=1, max_size=100), st.integers(min_value=5, max_value=100))
def test_shortening_keeps_both_ends_within_the_width(text: str, width: int) -> None:
    short = shorten(text, width)

    assert len(short) <= width
    assert short == text or (text.startswith(short.split("…")[0][: width // 2]) and text.endswith(short[-1]))


def test_a_fill_shows_rent_and_surplus_between_hops() -> None:
    fact = FILL.model_copy(update={"rent": "0.00203928", "left_over": (LeftOver(token="CHILLGUY", amount="0.02"),)})
    lines = describe(fact, order_after(history(FILLED)))
    assert lines[1] == "and 0.02 CHILLGUY left over between the hops"
    assert ", rent of new token accounts 0.00203928 SOL, slot " in lines[2]


def test_a_split_names_its_legs_and_what_they_gain() -> None:
    fact = ROUTED.model_copy(update={"route": SPLIT, "gain_bps": "12.46"})
    order = order_after(history(FILLED))
    assert describe(fact, order)[2:] == [
        "→ SOL to USDC: 62.5 % raydium_cpmm 7Xawhb…mX, 37.5 % meteora_dlmm 5rCf1D…S6",
        "  together 152.310211 USDC, 12.46 bp more than the best pool",
        "  chosen: this route, for at least 151.54866 USDC",
    ]
