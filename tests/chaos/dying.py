"""Runs a role of orderd that kills itself at one point of its work: ``python -m tests.chaos.dying ROLE POINT``.

A point is ``MODULE:FUNCTION:before`` or ``after``: before or after the first call of the function.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from orderd.garbage import spare_what_is_loaded
from orderd.main import main


def arm(point: str) -> None:
    """Make this process kill itself at ``point``. Raises AttributeError if the function does not exist."""
    module, path, moment = point.split(":")
    owner: Any = import_module(module)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    function: Callable[..., object] = getattr(owner, name)

    @functools.wraps(function)
    def end(*arguments: Any, **named: Any) -> None:
        if moment == "after":
            function(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    assert moment in ("before", "after")
    setattr(owner, name, end)


if __name__ == "__main__":
    role, point = sys.argv[1:]
    spare_what_is_loaded()  # before the imports of the point, as main does
    arm(point)
    sys.argv = ["orderd", role]
    main()
