"""Questions on the terminal. Without a terminal there is no question."""

import sys

from orderctl.output.streams import is_live
from orderd.client.errors import ConfigError


def can_ask() -> bool:
    """Whether both the question and the answer have a terminal, and not a dumb one."""
    return sys.stdin.isatty() and is_live(sys.stderr)


def check_can_ask(what: str) -> None:
    """Raises ConfigError if there is no terminal to ask on about ``what``, which is not done without a yes."""
    if not can_ask():
        raise ConfigError(f"{what} needs a yes", "there is no terminal to ask on", "add --yes")


def agrees_to(question: str) -> bool:
    """Only a plain yes is one."""
    return _answer_to(f"{question} [y/N]").lower() in ("y", "yes")


def types(word: str, question: str) -> bool:
    """Only ``word`` itself is a yes."""
    return _answer_to(question) == word


def _answer_to(question: str) -> str:
    """The typed line. The question goes to stderr, because stdout is data. Empty without an answer: at the end of
    input, and if the terminal is closed."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip()
    except OSError:
        return ""
