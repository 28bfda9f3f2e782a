"""When the screen is redrawn: the first changes at once, then five times per second."""

from orderctl.tui.frames import BURST, FLOOD_SECONDS, FRAME_SECONDS, Frames


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_stages_of_a_single_order_are_drawn_at_once() -> None:
    clock = Clock()
    frames = Frames(clock)
    for _ in range(BURST):
        assert frames.wait() == 0
        frames.drawn(has_changes=True)
        clock.now += 0.001
    assert frames.wait() > 0


def test_at_most_five_frames_per_second_are_drawn() -> None:
    clock = Clock()
    frames = Frames(clock)
    drawn = 0
    while clock.now < 110:
        clock.now += max(frames.wait(), 0.005)
        frames.drawn(has_changes=True)
        drawn += 1
    assert drawn <= 10 / FLOOD_SECONDS + BURST + 1


def test_a_quiet_moment_allows_the_next_burst() -> None:
    clock = Clock()
    frames = Frames(clock)
    for _ in range(2 * BURST):
        frames.drawn(has_changes=True)
    assert frames.wait() == FLOOD_SECONDS
    clock.now += BURST * FLOOD_SECONDS
    for _ in range(BURST):
        assert frames.wait() == 0
        frames.drawn(has_changes=True)


def test_a_frame_without_news_is_renewed_at_the_frame_interval() -> None:
    clock = Clock()
    frames = Frames(clock)
    assert not frames.is_due()
    clock.now += FRAME_SECONDS
    assert frames.is_due()


def test_frames_without_news_do_not_delay_news() -> None:
    clock = Clock()
    frames = Frames(clock)
    for _ in range(2 * BURST):
        clock.now += FRAME_SECONDS
        frames.drawn(has_changes=False)
        assert frames.wait() == 0
