"""What is seen while the full screen loads, and how the terminal is left if it cannot be shown."""

import pytest

from orderctl.tui.opening import opening


def test_it_says_where_it_connects_to_on_a_screen_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with opening("ws://127.0.0.1:3000/"):
        pass
    seen = capsys.readouterr().err
    assert seen.startswith("\x1b[?1049h")
    assert seen.endswith("orderctl  connecting to ws://127.0.0.1:3000/"), "the full screen takes over"


def test_an_error_is_told_on_the_terminal_as_it_was_before(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="keys"), opening("ws://127.0.0.1:3000/"):
        raise ValueError("keys")
    assert capsys.readouterr().err.endswith("\x1b[?1049l")
