import io
import json

import pytest

from orderctl.config.flags import Colour
from orderctl.config.settings import Settings
from orderctl.output.failures import report
from orderctl.output.streams import has_colour, is_live, narrate
from orderd.client.errors import ConfigError
from orderd.domain.errors import ErrorCode, OrderdError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("colour", "environ", "on_terminal", "in_pipe"),
    [
        ("auto", {}, True, False),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("auto", {"NO_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, True, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ("auto", {"TERM": "dumb"}, False, False),
        ("always", {"NO_COLOR": "1"}, True, True),
        ("never", {"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colours_follow_settings_and_terminal(
    monkeypatch: pytest.MonkeyPatch, colour: Colour, environ: dict[str, str], on_terminal: bool, in_pipe: bool
) -> None:
    for name, value in {"TERM": "xterm", **environ}.items():
        monkeypatch.setenv(name, value)

    assert (has_colour(Terminal(), colour), has_colour(io.StringIO(), colour)) == (on_terminal, in_pipe)


@pytest.mark.parametrize(("term", "live"), [("xterm-256color", True), ("dumb", False), ("", False)])
def test_a_dumb_terminal_gets_no_live_display(monkeypatch: pytest.MonkeyPatch, term: str, live: bool) -> None:
    monkeypatch.setenv("TERM", term)

    assert is_live(Terminal()) is live
    assert not is_live(io.StringIO())


def test_an_error_shows_title_detail_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    code = report(OrderdError(ErrorCode.AMOUNT_NOT_POSITIVE, "-1 is not above zero"), "table", "never")

    assert code == 2
    assert capsys.readouterr().err == (
        "error[AMOUNT_NOT_POSITIVE]: The amount is not above zero\n"
        "  why:  -1 is not above zero\n"
        "  next: give an amount above zero\n"
    )


def test_an_error_is_a_json_document_with_json_output(capsys: pytest.CaptureFixture[str]) -> None:
    report(ConfigError("No", "because", "do this"), "json", "always")

    assert json.loads(capsys.readouterr().err) == {
        "schema": "orderctl.error/1",
        "code": None,
        "title": "No",
        "detail": "because",
        "next_step": "do this",
        "exit_code": 2,
    }


def test_a_long_line_is_wrapped_between_words_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    line = "it rests, and waits for 105 USDC per SOL"
    for stream, told in (
        (Terminal(), "it rests, and waits for 105\nUSDC per SOL\n"),
        (io.StringIO(), f"{line}\n"),
    ):
        monkeypatch.setattr("sys.stderr", stream)
        narrate(Settings(url="ws://127.0.0.1:1/"), line)
        assert stream.getvalue() == told
