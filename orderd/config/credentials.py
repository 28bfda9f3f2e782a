"""Settings that a service manager hands over as credentials (systemd.exec(5), LoadCredential).

A credential ``orderd.NAME`` is the value of the setting, or the file itself if the setting is a file. It is in no
environment file or unit file, and only the unit can read it.
"""

import os
from pathlib import Path
from typing import Final

from orderd.config.settings import Settings
from orderd.domain.text import text_of
from orderd.embedded.environment import CREDENTIALS

_PREFIX: Final = "orderd."
_FILES: Final = frozenset({"wallet", "tls_cert", "tls_key", "alerts"})
"""Settings that name a file: theirs is the credential's path."""


def credentials() -> tuple[dict[str, str], list[str]]:
    """The values of settings that have a credential, by name, and the faults of the credentials."""
    directory = os.environ.get(CREDENTIALS)
    if not directory or not Path(directory).is_dir():
        return {}, []
    found: dict[str, str] = {}
    faults: list[str] = []
    for file in sorted(Path(directory).glob(f"{_PREFIX}*")):
        name = file.name.removeprefix(_PREFIX)
        if name not in Settings.model_fields:
            faults.append(f"the credential {file.name} names no setting of orderd")
        elif name in _FILES:
            found[name] = str(file)
        else:
            try:
                found[name] = text_of(file.read_bytes()).strip()
            except (OSError, ValueError) as error:
                faults.append(f"the credential {file.name} cannot be read: {error}")
    return found, faults
