"""The entry point of the ``orderctl`` process: garbage collection, streams and exit."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        _run()
    except KeyboardInterrupt:
        # During the imports, before anything was sent; later orderctl.run reports it.
        _end(130)


def _run() -> NoReturn:
    # Imports create many objects but no garbage; collecting it took a fifth of a short command's time. So this comes
    # before all imports.
    gc.set_threshold(200_000)
    # The search for pydantic plugins reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from orderctl.deferred_imports import defer_imports

    defer_imports()
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
        sys.stderr.write(f"the command completed, but part of its output on stdout is lost: {lost}\n")
    _end(code)


def _end(code: int) -> NoReturn:
    """Exit without the interpreter's clean-up, which would only take time: it tears down all imported modules."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
