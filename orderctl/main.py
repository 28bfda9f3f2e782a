"""``orderctl`` as a process: its collector, its streams and its end."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    # Loading makes objects by the ten thousand and no garbage: to look for it took a fifth of a short command. So this
    # comes before anything is loaded.
    gc.set_threshold(200_000)
    # Plugins of pydantic have nothing to do here, and to look for them reads of every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from orderctl.output.guard import guard_streams, loss

    guard_streams()
    if sys.argv[1:2] == ["complete"]:
        from orderctl.completion import complete

        sys.stdout.write(complete(sys.argv[2:]))
        _end(0)
    from orderctl.run import run

    code = run(sys.argv[1:])
    sys.stdout.flush()
    if (lost := loss()) is not None:
        sys.stderr.write(f"the work went on, but of what it told on stdout the rest is lost: {lost}\n")
    _end(code)


def _end(code: int) -> NoReturn:
    """Nothing is left to be done: the interpreter would only take apart, one by one, all modules that were loaded."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
