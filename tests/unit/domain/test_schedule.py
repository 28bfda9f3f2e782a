"""Executions of a TWAP sell the whole amount and never more, whatever is missed or fails."""

from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.order import CatchUp
from orderd.domain.schedule import Schedule, ScheduledExecution

MINUTE_MS = 60_000
SCHEDULES = st.builds(
    Schedule,
    slices=st.integers(1, 50),
    every_seconds=st.integers(1, 86_400),
    jitter_bps=st.integers(0, 10_000),
    catch_up=st.sampled_from(CatchUp),
)


def schedule(catch_up: CatchUp = CatchUp.ONE, *, slices: int = 10, jitter_bps: int = 0) -> Schedule:
    return Schedule(slices, 60, jitter_bps, catch_up)


@given(plan=SCHEDULES, total=st.integers(1, 2**64 - 1), data=st.data())
def test_all_executions_together_sell_the_whole_amount_and_never_more(
    plan: Schedule, total: int, data: st.DataObject
) -> None:
    """Executions are randomly late, and some fail: later ones sell their amount."""
    number, remaining, failed_last = 0, total, False
    while number < plan.slices and remaining:
        late_ms = data.draw(st.integers(0, 3 * plan.every_seconds * 1000))
        execution = plan.at(number, late_ms, remaining)
        assert number < execution.number <= plan.slices
        assert 0 <= execution.amount_in <= remaining
        failed_last = data.draw(st.booleans()) or (execution.amount_in == 0 and execution.number == plan.slices)
        remaining -= 0 if failed_last else execution.amount_in
        number = execution.number
    assert remaining >= 0
    assert failed_last or remaining == 0, "the last successful execution sells the remaining amount"


@given(plan=SCHEDULES, total=st.integers(1, 2**64 - 1))
def test_punctual_executions_have_equal_sizes_within_a_base_unit(plan: Schedule, total: int) -> None:
    remaining, amounts = total, []
    for number in range(plan.slices):
        execution = plan.at(number, 0, remaining)
        assert execution.number == number + 1
        amounts.append(execution.amount_in)
        remaining -= execution.amount_in
    assert sum(amounts) == total
    assert max(amounts) - min(amounts) <= 1


@given(plan=SCHEDULES, number=st.integers(0, 1_000), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_moves_an_execution_by_at_most_half_of_it(plan: Schedule, number: int, chance: float) -> None:
    every_ms = plan.every_seconds * 1000
    moved = plan.offset_ms(number, chance) - number * every_ms
    assert abs(moved) <= every_ms * plan.jitter_bps / 10_000 / 2
    assert plan.offset_ms(0, chance) == 0, "the first execution starts at once"


def test_jitter_reaches_both_sides() -> None:
    plan = schedule(jitter_bps=2_000)
    assert [plan.offset_ms(1, chance) for chance in (0.0, 0.5, 0.75)] == [54_000, 60_000, 63_000]


def test_catch_up_one_executes_once_for_all_missed_ones() -> None:
    assert schedule(CatchUp.ONE).at(2, 3 * MINUTE_MS, 800) == ScheduledExecution(160, 6)
    assert schedule(CatchUp.ONE).at(2, 99 * MINUTE_MS, 800) == ScheduledExecution(800, 10), (
        "the last execution sells the remaining amount"
    )


def test_catch_up_all_executes_each_missed_one() -> None:
    assert schedule(CatchUp.ALL).at(2, 3 * MINUTE_MS, 800) == ScheduledExecution(100, 3)


def test_catch_up_none_skips_missed_ones() -> None:
    assert schedule(CatchUp.NONE).at(2, 3 * MINUTE_MS, 800) == ScheduledExecution(0, 5)
    assert schedule(CatchUp.NONE).at(5, 0, 800) == ScheduledExecution(160, 6), (
        "the remaining executions share the amount"
    )
    assert schedule(CatchUp.NONE).at(2, 99 * MINUTE_MS, 800) == ScheduledExecution(0, 10), "no execution remains"


def test_a_slightly_late_execution_is_not_missed() -> None:
    for catch_up in CatchUp:
        assert schedule(catch_up).at(2, MINUTE_MS - 1, 800) == ScheduledExecution(100, 3)
