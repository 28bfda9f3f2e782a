"""orderctl version: the releases of client and daemon."""

import json

import pytest

from orderd.release import this_release
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import ReleaseView
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

VERSION = this_release().version


class TestVersion:
    def test_both_versions_are_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS)

        mine = this_release()
        commit = f", commit {mine.short_commit}" if mine.commit else ""
        assert orderctl("version") == (0, f"orderctl {VERSION} (wire 2{commit})\norderd   {VERSION} (wire 2)\n", "")
        versions = json.loads(orderctl("version", "-o", "json").out)
        assert versions["orderctl"] == {"version": VERSION, "wire_version": WIRE_VERSION, "commit": mine.commit}
        assert versions["orderd"] == {"version": VERSION, "wire_version": WIRE_VERSION, "commit": None}

    def test_another_commit_of_the_daemon_is_shown_without_a_warning(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"commit": "a" * 40}))

        outcome = orderctl("version")

        assert f"orderd   {VERSION} (wire 2, commit aaaaaaaaaa)" in outcome.out
        assert outcome.err == ""

    @pytest.mark.parametrize(
        ("version", "commit", "warns"),
        [
            (VERSION, "a" * 40, False),
            (VERSION, None, False),
            (VERSION, "b" * 40, True),
            ("0.0.9", None, True),
        ],
    )
    def test_workers_of_another_release_are_a_warning(
        self, daemon: FakeDaemon, orderctl: Orderctl, version: str, commit: str | None, warns: bool
    ) -> None:
        workers = (ReleaseView(version=VERSION, commit="a" * 40), ReleaseView(version=version, commit=commit))
        releases = {"commit": "a" * 40, "worker_releases": workers}
        daemon.answers(Method.STATUS, STATUS.model_copy(update=releases))

        assert ("restart the older processes" in orderctl("version").err) is warns

    def test_a_version_mismatch_is_a_warning(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"version": "9.9.9"}))

        assert "warning: the versions differ" in orderctl("version").err

    def test_only_the_clients_version_is_shown_without_a_daemon(self, orderctl: Orderctl) -> None:
        outcome = orderctl("version", "--url", "ws://127.0.0.1:1/")

        assert outcome.code == 3
        assert outcome.out.startswith(f"orderctl {VERSION} (wire 2")
        assert "orderd run" in outcome.err
