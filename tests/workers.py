"""Runs tests in several processes (``pytest --workers 4``), which are forked after all tests have been collected.

Own code, because pytest-xdist starts an interpreter per process, each of which imports all modules and collects all
tests: with it this suite takes a seventh more CPU time. Forked processes share what has been collected once. They, the
*workers*, run the tests; the process that has collected the tests reports the results.

A worker takes one test at a time, or the tests of a file if they share fixtures, which are then set up once. A worker
that ends unexpectedly fails its test and the run. When the process that reports ends, the workers are interrupted.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, NamedTuple

import pytest
from _pytest.capture import FDCapture
from coverage import Coverage

from orderd.embedded.account import end_with_parent

_WAITING: Final = ("proof", "fuzz", "acceptance", "chaos", "compat", "integration")
"""Folders whose tests mostly wait for other processes, those with the slowest tests first."""

_forking = get_context("fork")


class _Started(NamedTuple):
    """A worker has begun this test."""

    nodeid: str
    location: tuple[str, int | None, str]


class _Finished(NamedTuple):
    """A worker has run the test that it had begun, or an error occurred at the end of its session."""

    reports: Sequence[Any]
    """Serialized."""


class Workers:
    """The plugin of the process that collects and reports.

    The context manager that ``beside`` returns is entered after the workers have started, and left after they have
    ended.
    """

    def __init__(self, count: int, beside: Callable[[pytest.Session], AbstractContextManager[None]]) -> None:
        self._count = count
        self._beside = beside

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed or session.config.option.collectonly:
            return None  # pytest's own loop then runs no test
        groups = _groups(session.items)
        left = _forking.Array("i", [0, len(groups)])
        workers: dict[Connection, Any] = {}
        temporary: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        try:
            for number in range(self._count):
                ours, theirs = _forking.Pipe(duplex=False)
                worker = _Worker(session, theirs, temporary / f"worker{number}")
                workers[ours] = _forking.Process(target=worker.run, args=(groups, left, number % 3 > 0))
                workers[ours].start()
                theirs.close()
            with self._beside(session):
                done = _report(session, workers)
        finally:
            for process in workers.values():
                if process.is_alive():
                    os.kill(process.pid, signal.SIGINT)
                process.join()
        if missing := len(session.items) - done:
            raise session.Interrupted(f"a worker has ended, and {missing} of the tests have not been run")
        return True


class _Worker:
    """The plugin of a worker: sends the results of its tests."""

    def __init__(self, session: pytest.Session, sender: Connection, temporary: Path) -> None:
        self._session = session
        self._sender = sender
        self._temporary = temporary
        self._reports: list[Any] = []
        self._last: pytest.Item | None = None

    def run(self, groups: Sequence[Sequence[pytest.Item]], left: Any, from_first: bool) -> None:
        config = self._session.config
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
        end_with_parent(signal.SIGINT)
        _capture_apart(config)
        self._replace_reporter(config)
        self._temporary.mkdir(mode=0o700)
        config._tmp_path_factory._basetemp = self._temporary  # type: ignore[attr-defined]
        try:
            for group in _taken(groups, left, from_first):
                # After the last test of a group, only the fixtures of the session are kept.
                for item, following in zip(group, (*group[1:], self._session), strict=True):
                    self._last = item
                    config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except KeyboardInterrupt:
            pass  # the other process reports it
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # one may come from the terminal and one from that process
            self._tear_down_session()
            if (measured := Coverage.current()) is not None:
                measured.stop()
                measured.save()

    def _tear_down_session(self) -> None:
        """As pytest does, report errors as those of the last test."""
        ended = pytest.CallInfo.from_call(lambda: self._session._setupstate.teardown_exact(None), when="teardown")
        if ended.excinfo is not None and self._last is not None:
            self.pytest_runtest_logreport(pytest.TestReport.from_item_and_call(self._last, ended))
            self.pytest_runtest_logfinish()

    def _replace_reporter(self, config: pytest.Config) -> None:
        """Take the place of the plugin that shows results. pytest asks it for the terminal."""
        reporter: Any = config.pluginmanager.unregister(name="terminalreporter")
        self._tw = reporter._tw
        config.pluginmanager.register(self, name="terminalreporter")

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._sender.send(_Started(nodeid, location))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        config = self._session.config
        self._reports.append(config.hook.pytest_report_to_serializable(config=config, report=report))

    def pytest_runtest_logfinish(self) -> None:
        self._sender.send(_Finished(self._reports))
        self._reports = []


def _groups(items: Sequence[pytest.Item]) -> list[list[pytest.Item]]:
    """The tests of each file that share fixtures, and all others alone.

    Tests that wait for other processes come first, the slowest and the largest groups before others. Those that compute
    come last. Two thirds of the workers begin at the first end and the others at the last, so both kinds last until the
    end of the run: no core is idle, and no worker has a slow group left when the others are done.
    """
    files = [list(those) for _, those in groupby(items, lambda item: item.path)]
    groups = [group for file in files for group in ([file] if _share_fixtures(file) else [[item] for item in file])]
    return sorted(groups, key=lambda group: (place := _place(group), -len(group) if place < len(_WAITING) else 0))


def _share_fixtures(file: Sequence[pytest.Item]) -> bool:
    scopes = {
        definitions[-1].scope
        for item in file
        if isinstance(item, pytest.Function)
        for definitions in item._fixtureinfo.name2fixturedefs.values()
    }
    return not scopes <= {"function", "session"}


def _place(group: Sequence[pytest.Item]) -> int:
    folders = group[0].path.parts
    return next((place for place, folder in enumerate(_WAITING) if folder in folders), len(_WAITING))


def _taken(groups: Sequence[Sequence[pytest.Item]], left: Any, from_first: bool) -> Iterator[Sequence[pytest.Item]]:
    """Groups that no other worker has taken. ``left`` are the first of these, and the one after the last."""
    while True:
        with left.get_lock():
            first, end = left
            if first == end:
                return
            left[0 if from_first else 1] += 1 if from_first else -1
        yield groups[first if from_first else end - 1]


def _report(session: pytest.Session, workers: dict[Connection, Any]) -> int:
    """Report what the workers send until they end; returns how many tests have been run."""
    hook, config = session.config.hook, session.config
    running: dict[Connection, _Started] = {}
    open_ends = set(workers)
    done = 0
    while open_ends:
        for end in connection.wait(open_ends):
            assert isinstance(end, Connection)
            try:
                event = end.recv()
            except EOFError:
                open_ends.discard(end)
                workers[end].join()
                if (started := running.pop(end, None)) is not None:
                    _report_lost(session, started, workers[end].exitcode)
                    done += 1
                elif exit_code := workers[end].exitcode:
                    why = f"a worker has ended with exit code {exit_code} after its tests"
                    raise session.Interrupted(why) from None
                continue
            if isinstance(event, _Started):
                running[end] = event
                continue
            finished = running.pop(end, None)
            if finished is not None:
                hook.pytest_runtest_logstart(nodeid=finished.nodeid, location=finished.location)
            for each in event.reports:
                report = hook.pytest_report_from_serializable(config=config, data=each)
                hook.pytest_runtest_logreport(report=report)
            if finished is not None:
                hook.pytest_runtest_logfinish(nodeid=finished.nodeid, location=finished.location)
                done += 1
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    return done


def _report_lost(session: pytest.Session, started: _Started, exit_code: int) -> None:
    """Report the test during which a worker has ended."""
    why = f"The worker ended with exit code {exit_code} during this test (if negative: by this signal)."
    report = pytest.TestReport(started.nodeid, started.location, {}, "failed", why, "call")
    session.config.hook.pytest_runtest_logreport(report=report)


def _capture_apart(config: pytest.Config) -> None:
    """Capture output in files of this process's own; the inherited ones are shared with the other workers.

    The descriptors stay, as modules may have kept the streams that they found when they were imported.
    """
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    for stream in (capture._global_capturing.out, capture._global_capturing.err):
        if isinstance(stream, FDCapture):
            with TemporaryFile(buffering=0) as file:
                os.dup2(file.fileno(), stream.tmpfile.fileno(), inheritable=False)
