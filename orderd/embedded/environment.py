"""The environment of a child process: the variables that every program needs, and only its own secrets.

The environment can contain API keys and keys of providers. Postgres and Redis do not need them, and an attacker who
controls a process can read its environment.
"""

import os
from typing import Final

_COMMON_NAMES: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "VIRTUAL_ENV"}
    | {"LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM"}
)
_COMMON_PREFIXES: Final = ("LC_", "PYTHON", "XDG_", "COVERAGE_")
PROXY_NAMES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""In upper or lower case. They can contain a password."""
SETTINGS_PREFIX: Final = "ORDERD_"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""The variable that names the directory of secrets that the service manager gives to this unit only
(systemd.exec(5))."""


def common_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in _COMMON_NAMES or name.startswith(_COMMON_PREFIXES)
    }


def settings_without(*secrets: str) -> dict[str, str]:
    """The settings of this process, without ``secrets``, such as ``RPC_URL``."""
    left_out = {f"{SETTINGS_PREFIX}{name}" for name in secrets}
    return {
        name: value for name, value in os.environ.items() if name.startswith(SETTINGS_PREFIX) and name not in left_out
    }


def proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper() in PROXY_NAMES}
