"""What a child process does before its program runs: it becomes another user, and it ends with its parent.

Postgres refuses to run as root, but its programs and its data may be in directories that only root can enter, such as
/root. Opening these to all users would be permanent, so the child keeps one capability (capabilities(7)) with which it
can enter them.
"""

import ctypes
import os
import pwd
import signal
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_SECUREBITS: Final = 28
_SECBIT_NO_SETUID_FIXUP: Final = 1 << 2
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAP_CHOWN: Final = 0
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2
_CAP_SETGID: Final = 6
_CAP_SETUID: Final = 7
_CAPABILITY_VERSION_3: Final = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(stop_signal: signal.Signals) -> None:
    """The kernel sends ``stop_signal`` to this process when its parent dies. Cleared by a change of user."""
    _prctl(_PR_SET_PDEATHSIG, stop_signal)


def can_become_another() -> bool:
    """Whether this process may give files to another user, and become it."""
    needed = sum(1 << capability for capability in (_CAP_CHOWN, _CAP_SETGID, _CAP_SETUID))
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return effective & needed == needed


def become(account: pwd.struct_passwd) -> None:
    """Change from root to ``account``, with a capability to enter directories of root. Raises OSError.

    A container usually has no CAP_DAC_READ_SEARCH, but CAP_DAC_OVERRIDE, which also permits writing. With neither, the
    account needs access to the paths; otherwise the program fails.
    """
    _prctl(_PR_SET_KEEPCAPS, 1)
    # Postgres asks access(2) about its programs, which otherwise ignores the capabilities of all users but root.
    _libc.prctl(_PR_SET_SECUREBITS, *_arguments(_SECBIT_NO_SETUID_FIXUP))
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if keep_only(1 << capability):
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
            return
    keep_only(0)


def keep_only(capabilities: int) -> bool:
    """Give up all other capabilities. Returns False if this process does not have these."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(capabilities, capabilities, capabilities, 0, 0, 0)
    failed: int = _libc.capset(header, sets)
    return not failed


def _prctl(option: int, *arguments: int) -> None:
    if _libc.prctl(option, *_arguments(*arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _arguments(*values: int) -> list[ctypes.c_ulong]:
    return [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
