"""The state directory: nobody but the daemon's user writes in it."""

import os
import stat
from pathlib import Path

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.lock import LOCK_NAME
from orderd.process.state_dir import open_state_dir

STRANGER = 65_534


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_state_directory_is_private(tmp_path: Path) -> None:
    open_state_dir(tmp_path / "new" / "state")
    assert mode_of(tmp_path / "new" / "state") == 0o700


@pytest.mark.parametrize(("before", "after"), [(0o777, 0o755), (0o1777, 0o1755), (0o2770, 0o2750), (0o700, 0o700)])
def test_others_lose_the_right_to_write_in_an_existing_one(tmp_path: Path, before: int, after: int) -> None:
    tmp_path.chmod(before)
    open_state_dir(tmp_path)
    assert mode_of(tmp_path) == after


def owned_by(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    real = Path.stat

    def stat_of(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(path, follow_symlinks=follow_symlinks)
        return os.stat_result((*found[:4], user, *found[5:]))

    monkeypatch.setattr(Path, "stat", stat_of)


def test_a_strangers_directory_that_everybody_may_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    owned_by(monkeypatch, STRANGER)
    with pytest.raises(OrderdError, match=f"belongs to user {STRANGER}, and every user may write in it") as refused:
        open_state_dir(tmp_path)
    assert refused.value.code is ErrorCode.SERVICE_CONFIGURATION


@pytest.mark.parametrize(("owner", "mode"), [(STRANGER, 0o755), (0, 0o777)], ids=["of a host's user", "of a pod"])
def test_a_mounted_directory_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, mode: int
) -> None:
    tmp_path.chmod(mode)
    owned_by(monkeypatch, owner)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    open_state_dir(tmp_path)
    assert mode_of(tmp_path) == mode


def test_the_directory_of_another_users_daemon_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could use it, but the service could not open its database and its wallet afterwards."""
    (tmp_path / LOCK_NAME).touch()
    open_state_dir(tmp_path)
    owned_by(monkeypatch, STRANGER)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OrderdError, match=f"the daemon of user {STRANGER} has its files in .*, or run orderd as that"):
        open_state_dir(tmp_path)


def test_a_file_is_not_a_state_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OrderdError, match=r"the state directory .*/file is a file") as refused:
        open_state_dir(tmp_path / "file")
    assert refused.value.code is ErrorCode.SERVICE_CONFIGURATION
