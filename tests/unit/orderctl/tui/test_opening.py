"""What is shown while the TUI loads, and how the terminal is restored if it fails."""

import pytest

from orderctl.tui.opening import opening


def test_the_opening_screen_shows_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with opening("ws://127.0.0.1:3000/"):
        pass
    seen = capsys.readouterr().err
    assert seen.startswith("\x1b[?1049h")
    assert seen.endswith("orderctl  connecting to ws://127.0.0.1:3000/"), "the TUI takes over the alternate screen"


def test_an_error_is_printed_on_the_restored_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="keys"), opening("ws://127.0.0.1:3000/"):
        raise ValueError("keys")
    assert capsys.readouterr().err.endswith("\x1b[?1049l")
