"""Questions to whoever sits at the terminal. Nobody is asked where nobody can answer."""

import sys

from orderctl.output.streams import is_live


def can_ask() -> bool:
    """Whether both the question and the answer have a terminal, and not a dumb one."""
    return sys.stdin.isatty() and is_live(sys.stderr)


def answer_to(question: str) -> str:
    """What is typed, in one line. The question goes to stderr, for stdout is data. Empty where no answer comes: at the
    end of input, and from a terminal that has gone."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip()
    except OSError:
        return ""


def agrees_to(question: str) -> bool:
    """Only a plain yes is one."""
    return answer_to(f"{question} [y/N]").lower() in ("y", "yes")
