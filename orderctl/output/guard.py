"""Streams whose failure does not change the outcome of the work.

Output may have no reader: the other end of a pipe has closed, the disk is full, the terminal is gone, or the descriptor
was closed before the program began. The order is on its way all the same, so from then on output is dropped, and the
exit code stays that of the work. A command that only reads has no work besides its output: it stops.
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
    """Output on stdout has no reader any more, and the command has nothing else to do."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Unfailing(io.FileIO):
    """A descriptor to which writing always succeeds; what cannot be written is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.failure: OSError | None = None
        self.stops = False
        """Whether the first words that are dropped raise UnheardError."""

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data)
        try:
            while self.failure is None:
                written = super().write(view)
                if written is not None:
                    return written
                # The other end made the pipe one that does not wait, and it is full.
                select.select((), (self,), ())
        except OSError as error:
            self.failure = error
            if self.stops:
                raise OutputClosedError(error) from error
        return view.nbytes


def guard_streams() -> None:
    """Replaces the standard streams of the program, once, before anything is read or said."""
    for descriptor, (name, mode) in enumerate(_STANDARD.items()):
        _open_if_closed(descriptor, mode)
        if getattr(sys, name) is None:
            opened = os.fdopen(descriptor, "r" if mode == os.O_RDONLY else "w", encoding="utf-8", closefd=False)
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)
    if isinstance(sys.stdin, io.TextIOWrapper):
        # An answer in another encoding is neither a yes nor a crash.
        sys.stdin.reconfigure(errors="replace")
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


def _open_if_closed(descriptor: int, mode: int) -> None:
    """Else the next file that is opened, perhaps the connection to the daemon, would take the descriptor's place."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, mode)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _guarded(stream: TextIO) -> TextIO:
    """Like ``stream``; characters that its encoding does not have are replaced."""
    return io.TextIOWrapper(
        io.BufferedWriter(_Unfailing(stream.fileno())),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )


def stop_when_output_is_closed() -> None:
    """From now on the command ends when stdout fails: it merely reads, so nothing is left undone."""
    if (descriptor := _of_stdout()) is not None:
        descriptor.stops = True


def loss() -> OSError | None:
    """Why output is missing on stdout, if the command went on without it."""
    descriptor = _of_stdout()
    if descriptor is None or descriptor.stops or descriptor.failure is None or has_left(descriptor.failure):
        return None
    return descriptor.failure


def has_left(failure: OSError) -> bool:
    """Whether the reader, a program or a terminal, has seen enough; else it misses something."""
    return failure.errno in (errno.EPIPE, errno.EIO)


def _of_stdout() -> _Unfailing | None:
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Unfailing) else None
