"""Standard streams whose failure does not stop a command.

Output can fail: the other end of a pipe is closed, the disk is full, the terminal is gone, or the descriptor was closed
at the start. A command that trades continues, drops its output and keeps its exit code. A command that only reads
stops.
"""

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD: Final = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY, "stderr": os.O_WRONLY}


class OutputClosedError(Exception):
    """Stdout cannot be written any more, and the command has nothing else to do."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _GuardedFile(io.FileIO):
    """A file descriptor to which writes always succeed; data that cannot be written is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.failure: OSError | None = None
        self.stops = False
        """Whether the first failure raises OutputClosedError."""

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data)
        try:
            while self.failure is None:
                written = super().write(view)
                if written is not None:
                    return written
                # The pipe is full, and the other end has made it non-blocking.
                select.select((), (self,), ())
        except OSError as error:
            self.failure = error
            if self.stops:
                raise OutputClosedError(error) from error
        return view.nbytes


def guard_streams() -> None:
    """Replace the standard streams. Call this once, before any input or output."""
    for descriptor, (name, mode) in enumerate(_STANDARD.items()):
        _open_if_closed(descriptor, mode)
        if getattr(sys, name) is None:
            opened = os.fdopen(descriptor, "r" if mode == os.O_RDONLY else "w", encoding="utf-8", closefd=False)
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Input in another encoding must not crash a prompt.
        sys.stdin.reconfigure(errors="replace")
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


def _open_if_closed(descriptor: int, mode: int) -> None:
    """Open /dev/null in place of a closed descriptor. Otherwise the next file or socket would get its number."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, mode)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _guarded(stream: TextIO) -> TextIO:
    """A guarded copy of ``stream``. Characters that its encoding lacks are replaced."""
    return io.TextIOWrapper(
        io.BufferedWriter(_GuardedFile(stream.fileno())),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )


def stop_when_output_is_closed() -> None:
    """From now on, stop the command when stdout fails. For commands that only read."""
    if (descriptor := _of_stdout()) is not None:
        descriptor.stops = True


def loss() -> OSError | None:
    """The reason why output on stdout is missing, if any."""
    descriptor = _of_stdout()
    if descriptor is None or descriptor.stops or descriptor.failure is None or is_closed_by_reader(descriptor.failure):
        return None
    return descriptor.failure


def is_closed_by_reader(failure: OSError) -> bool:
    """Whether the reader closed the stream itself, so that it misses nothing."""
    return failure.errno in (errno.EPIPE, errno.EIO)


def _of_stdout() -> _GuardedFile | None:
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _GuardedFile) else None
