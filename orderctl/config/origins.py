"""Finds the origin of each setting: a flag, the environment, a context, the file, or the default.

The file is ``orderctl.toml`` in the user's configuration directory, or the one that ORDERCTL_CONFIG names. It can
contain contexts for several daemons: tables ``[contexts.NAME]`` of the same settings. --context, ORDERCTL_CONTEXT or
``orderctl context use NAME`` select one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

from platformdirs import user_config_path

from orderctl.config.flags import Flags
from orderd.client.errors import unusable
from orderd.domain.text import text_of

FILE_KEYS = ("url", "ca", "api_key_file", "api_key_command", "color", "timeout")
RENAMED = {"api_key": "token", "api_key_file": "token_file", "api_key_command": "token_command"}
"""The old names of renamed settings. They are accepted for one more release, with a warning."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The text of a setting, None if it is not set, and its origin."""

    text: str | None
    origin: str = "default"
    rank: int = 4
    """The precedence, from 0 (flag) to 4 (default)."""
    new_name: str | None = None
    """The new name of the setting, if the old one was used."""


def explain(flags: Flags, environ: Mapping[str, str]) -> dict[str, Choice]:
    """Each setting with its origin, without validation. Raises ConfigError if the file is invalid."""
    path = config_path(environ)
    file = read_file(environ)
    context = current_context(flags, environ)
    table = file.get("contexts", {})
    if context is not None and context.text not in table:
        there = f"use one of {', '.join(table)}" if table else "it has no contexts"
        raise unusable(context.origin, f"{context.text!r} is not a context in {path}; {there}")
    in_context = table[context.text] if context is not None else {}

    def choose(name: str) -> Choice:
        choice = choice_of(name)
        if name not in RENAMED or (before := choice_of(RENAMED[name])).rank >= choice.rank:
            return choice
        return replace(before, new_name=name)

    def choice_of(name: str) -> Choice:
        variable = f"ORDERCTL_{name.upper()}"
        if (flag := getattr(flags, name, None)) is not None:
            return Choice(str(flag), f"--{name.replace('_', '-')}", 0)
        if environ.get(variable):
            return Choice(environ[variable], variable, 1)
        if context is not None and name in in_context:
            return Choice(str(in_context[name]), f"{name} of the context {context.text} in {path}", 2)
        if name in file:
            return Choice(str(file[name]), f"{name} in {path}", 3)
        return Choice(None)

    return {name: choose(name) for name in ("api_key", *FILE_KEYS)}


def current_context(flags: Flags, environ: Mapping[str, str]) -> Choice | None:
    if flags.context is not None:
        return Choice(flags.context, "--context", 0)
    if environ.get("ORDERCTL_CONTEXT"):
        return Choice(environ["ORDERCTL_CONTEXT"], "ORDERCTL_CONTEXT", 1)
    path = context_path(environ)
    try:
        name = read_text(path).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unusable(str(path), str(error)) from error
    return Choice(name, str(path), 2) if name else None


def config_path(environ: Mapping[str, str]) -> Path:
    named = environ.get("ORDERCTL_CONFIG")
    return path_of(named, "ORDERCTL_CONFIG") if named else user_config_path("orderctl") / "orderctl.toml"


def path_of(text: str, origin: str) -> Path:
    """Parse a path, in which ``~`` is the home directory. Raises ConfigError."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise unusable(origin, f"{text!r}: {error}") from error


def read_text(path: Path) -> str:
    """Read a text file. Raises OSError, and ValueError if its encoding cannot be determined."""
    return text_of(path.read_bytes())


def changeable_path(environ: Mapping[str, str]) -> Path:
    """The path of the configuration file, for writing. Raises ConfigError if it is not a regular file, such as
    /dev/null."""
    path = config_path(environ)
    try:
        if not S_ISREG(path.stat().st_mode):
            raise unusable(str(path), "it is not a regular file, so it cannot be changed")
    except FileNotFoundError:
        return path
    except OSError as error:  # Path.is_file() reports none from Python 3.14 on
        raise unusable(str(path), str(error)) from error
    return path


def context_path(environ: Mapping[str, str]) -> Path:
    """The file next to the configuration file with the name of the selected context."""
    return config_path(environ).with_suffix(".context")


def read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read the configuration file and check the names in it. Empty if there is no file. Raises ConfigError."""
    path = config_path(environ)
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        if environ.get("ORDERCTL_CONFIG"):
            raise unusable(f"{path} (ORDERCTL_CONFIG)", "no such file") from error
        return {}
    except (OSError, ValueError) as error:
        raise unusable(str(path), str(error)) from error
    import tomllib  # imported here because most traders have no such file

    try:
        content = tomllib.loads(text)
    except ValueError as error:
        raise unusable(str(path), str(error)) from error
    except RecursionError as error:
        raise unusable(str(path), "it is nested too deeply") from error
    contexts = content.get("contexts", {})
    if not isinstance(contexts, dict) or not all(isinstance(table, dict) for table in contexts.values()):
        raise unusable(str(path), "contexts must be tables: write [contexts.NAME] and the settings below it")
    _check_names(path, "", [name for name in content if name != "contexts"])
    for context, table in contexts.items():
        _check_names(path, f" of the context {context}", table)
    return content


def _check_names(path: Path, where: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in FILE_KEYS and name not in (RENAMED["api_key_file"], RENAMED["api_key_command"]):
            raise unusable(str(path), f"{name!r}{where} is not a setting; use one of {', '.join(FILE_KEYS)}")
