"""Asks for confirmation on a terminal."""

import sys

from orderctl.output.streams import is_live
from orderd.client.errors import ConfigError


def can_ask() -> bool:
    """Whether stdin and stderr are terminals, and not dumb ones."""
    return sys.stdin.isatty() and is_live(sys.stderr)


def check_can_ask(what: str) -> None:
    """Raises ConfigError if ``what`` cannot be confirmed, because there is no terminal."""
    if not can_ask():
        raise ConfigError(f"{what} needs a confirmation", "there is no terminal to ask on", "add --yes")


def confirms(question: str) -> bool:
    """Ask a yes-or-no question; any answer but yes is a no."""
    return _answer_to(f"{question} [y/N]").lower() in ("y", "yes")


def types(word: str, question: str) -> bool:
    """Ask a question that is confirmed by typing ``word``."""
    return _answer_to(question) == word


def _answer_to(question: str) -> str:
    """The typed line; empty at the end of input, and if the terminal is closed. The question goes to stderr, because
    stdout is for data."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    line = ""
    try:
        line = sys.stdin.readline()
    except OSError:
        pass
    finally:
        if not line.endswith("\n"):  # Ctrl-C and Ctrl-D leave the cursor behind the question
            sys.stderr.write("\n")
    return line.strip()
