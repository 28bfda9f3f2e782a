"""The environment of a child: the variables that every program needs, and no secret of another one.

Keys of providers and API keys stand in the environment; Postgres and Redis do not need them, and an attacker who
controls one of these processes can read its environment.
"""

import os
from typing import Final

_NEEDED: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "VIRTUAL_ENV"}
    | {"LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM"}
)
_NEEDED_BEGINNINGS: Final = ("LC_", "PYTHON", "XDG_", "COVERAGE_")
PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""In either case. They may hold a password."""
SETTINGS: Final = "ORDERD_"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Names the directory of the secrets that a service manager hands over to this unit alone (systemd.exec(5))."""


def what_any_program_needs() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith(_NEEDED_BEGINNINGS)}


def settings_but(*secrets: str) -> dict[str, str]:
    """The settings of this process, without ``secrets``, such as ``RPC_URL``."""
    left_out = {f"{SETTINGS}{name}" for name in secrets}
    return {name: value for name, value in os.environ.items() if name.startswith(SETTINGS) and name not in left_out}


def proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper() in PROXIES}
