"""Changes of the system clock, which neither end nor prolong a wait."""

from typing import Final

from tests.mutants.mutant import Mutant

_CLOCK: Final = "tests/integration/engine/test_clock.py::"

MUTANTS: Final = (
    Mutant(
        "times-moved-twice",
        6,
        "db/clock.py",
        "at = clock_timestamp() WHERE moved = %s",
        "at = clock_timestamp() WHERE moved = %s OR true",
        (f"{_CLOCK}test_two_processes_that_notice_a_jump_at_once_move_the_times_once",),
        "Every process moves the times, and orders wait for hours or expire too early.",
    ),
    Mutant(
        "new-orders-moved",
        6,
        "db/clock.py",
        "({wait.written} < given.since OR",
        "(true OR",
        (f"{_CLOCK}test_an_order_accepted_before_the_jump_is_noticed_is_due_at_once",),
        "An order accepted just after the clock was set ahead by an hour waits for an hour.",
    ),
    Mutant(
        "validity-not-moved",
        6,
        "db/clock.py",
        '    Wait("orders", "valid_until", "created_at", f"{in_states(ACTIVE)} AND expires_at IS NULL"),\n',
        "",
        (f"{_CLOCK}test_an_order_keeps_its_remaining_validity",),
        "A clock that is set ahead expires all waiting orders.",
    ),
    Mutant(
        "pause-taken-for-a-jump",
        6,
        "orderd/domain/clock.py",
        "_jump(min(seconds, max(since_last, 0.0)), reading.now - elapsed, reading)",
        "_jump(seconds, reading.now - elapsed, reading)",
        ("tests/unit/domain/test_clock.py::test_a_suspended_process_reports_no_jump",),
        "After a suspension of an hour all waits last an hour longer.",
    ),
    Mutant(
        "starts-by-a-changed-clock",
        6,
        "orderd/queue/limiter.lua",
        "if now < tonumber(ARGV[6]) or now > tonumber(ARGV[7]) then",
        "if false then",
        ("tests/integration/queue/test_rate_limit.py::TestSetClock::test_the_window_keeps_its_remaining_time",),
        "A Redis whose clock is set back starts nothing for an hour; one set ahead starts a window twice.",
    ),
    Mutant(
        "executions-before-their-time",
        6,
        "db/clock.py",
        'Wait("orders", "looks_from", "updated_at"',
        'Wait("orders", "looks_from", "looks_from"',
        (f"{_CLOCK}test_the_next_execution_of_a_twap_may_be_later_than_the_jump",),
        "The clock is set ahead by ten minutes, and an hourly purchase is made ten minutes early.",
    ),
    Mutant(
        "attempts-before-their-time",
        6,
        "db/clock.py",
        'Wait("orders", "due_at", "updated_at"',
        'Wait("orders", "due_at", "due_at"',
        (f"{_CLOCK}test_the_pause_after_a_failure_may_be_longer_than_the_jump",),
        "The clock is set ahead by some seconds, and all attempts of an order are made at once.",
    ),
)
