"""The client's settings. Precedence: flag, environment, context, file, default.

    flag            environment              orderctl.toml   default
    --url           ORDERCTL_URL             url             ws://127.0.0.1:3000/
    --ca ORDERCTL_CA ca the CAs that this machine trusts --api-key-file ORDERCTL_API_KEY_FILE api_key_file no API key
                    ORDERCTL_API_KEY_COMMAND api_key_command none
    --color         ORDERCTL_COLOR           color           auto
    --timeout       ORDERCTL_TIMEOUT         timeout         10 (seconds)

ORDERCTL_API_KEY contains an API key itself; only the flag --api-key-file overrides it. A key cannot be given on the
command line, which every user of the machine can read. A command, such as ``secret-tool lookup ...``, reads it from a
keyring. pydantic-settings is not used, because importing it alone takes too long.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, TypeVar, cast, get_args
from urllib.parse import urlsplit

from orderctl.config.flags import Colour, Flags
from orderctl.config.origins import RENAMED, Choice, explain, path_of, read_text
from orderd.client.endpoint import DEFAULT_TIMEOUT, DEFAULT_URL, Endpoint
from orderd.client.errors import unusable
from orderd.domain.authority import host_of

if TYPE_CHECKING:
    import typer

T = TypeVar("T")

DEFAULTS = {"url": DEFAULT_URL, "color": "auto", "timeout": f"{DEFAULT_TIMEOUT:g}"}
"""The default values, as text."""
_NEW_NAMES = {before: name for name, before in RENAMED.items()}
API_KEY_COMMAND_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Settings(Endpoint):
    color: Colour = "auto"
    quiet: bool = False


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables that make a child process use the same daemon and API key."""
    variables = {"ORDERCTL_URL": settings.url}
    if settings.api_key is not None:
        variables["ORDERCTL_API_KEY"] = settings.api_key
    if settings.ca is not None:
        variables["ORDERCTL_CA"] = str(settings.ca)
    return variables


def settings_of(ctx: "typer.Context", output: str) -> Settings:
    """Load the settings for a command with this output format, and warn about old names. Raises ConfigError."""
    flags: Flags = ctx.obj
    flags.output = output
    chosen = explain(flags, os.environ)
    settings = _checked(chosen, flags)
    _warn_of_old_names(chosen, settings)
    flags.color = settings.color
    return settings


def load(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Load the settings. Raises ConfigError for an invalid value, with its origin."""
    return _checked(explain(flags, environ), flags)


def _checked(chosen: Mapping[str, Choice], flags: Flags) -> Settings:
    def read(name: str, parse: Callable[[str, str], T], default: T) -> T:
        choice = chosen[name]
        return default if choice.text is None else parse(choice.text, choice.origin)

    return Settings(
        url=read("url", _url, DEFAULT_URL),
        ca=read("ca", _file, None),
        api_key=_api_key(chosen),
        color=read("color", _colour, "auto"),
        timeout=read("timeout", _seconds, DEFAULT_TIMEOUT),
        quiet=flags.quiet,
    )


def _warn_of_old_names(chosen: Mapping[str, Choice], settings: Settings) -> None:
    for choice in chosen.values():
        if choice.new_name is not None and not settings.quiet:
            new = choice.new_name if choice.rank > 1 else _spelt(choice.new_name, choice.rank)
            sys.stderr.write(
                f"{choice.origin}: write {new} instead; the old name will be removed in the next release\n"
            )


def _spelt(name: str, rank: int) -> str:
    """The name of a setting as a flag or as a variable."""
    return f"--{name.replace('_', '-')}" if rank == 0 else f"ORDERCTL_{name.upper()}"


def check(name: str, text: str, origin: str) -> object:
    """Validate a setting in the file, without running the API key command. Raises ConfigError."""
    checks: dict[str, Callable[[str, str], object]] = {
        "url": _url,
        "ca": _file,
        "color": _colour,
        "timeout": _seconds,
        "api_key_file": _api_key_of_file,
        "api_key_command": _words,
    }
    return checks[_NEW_NAMES.get(name, name)](text, origin)


def _url(text: str, origin: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("ws", "wss") and host_of(parts.netloc.rpartition("@")[2]) is not None
    except ValueError:
        is_usable = False
    if not is_usable or not text.isascii() or not text.isprintable() or " " in text:
        raise unusable(origin, f"{text!r} is not a websocket address; write it like {DEFAULT_URL}")
    return text


def _file(text: str, origin: str) -> Path:
    path = path_of(text, origin)
    try:
        is_there = S_ISREG(path.stat().st_mode)  # Path.is_file() reports no errors from Python 3.14 on
    except FileNotFoundError:
        is_there = False
    except (OSError, ValueError) as error:
        raise unusable(origin, f"{path}: {error}") from error
    if not is_there:
        raise unusable(origin, f"{path}: no such file")
    return path


def _colour(text: str, origin: str) -> Colour:
    for colour in get_args(Colour):
        if text == colour:
            return cast(Colour, colour)
    raise unusable(origin, f"{text!r} is not one of {', '.join(get_args(Colour))}")


def _seconds(text: str, origin: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise unusable(origin, f"{text!r} is not a number of seconds between 0 and 86400")
    return seconds


def _api_key(chosen: Mapping[str, Choice]) -> str | None:
    """The API key from the origin with the highest precedence; at equal precedence, a key before a file before a
    command."""
    found = min(
        (chosen[name].rank, order, name) for order, name in enumerate(("api_key", "api_key_file", "api_key_command"))
    )
    choice = chosen[found[2]]
    if choice.text is None:
        return None
    if found[2] == "api_key":
        return _checked_api_key(choice.text, choice.origin)
    if found[2] == "api_key_file":
        return _api_key_of_file(choice.text, choice.origin)
    return _api_key_of_command(choice.text, choice.origin)


def _api_key_of_file(path: str, origin: str) -> str:
    try:
        return _checked_api_key(read_text(path_of(path, origin)), f"{origin}: {path}")
    except (OSError, ValueError) as error:
        raise unusable(origin, f"the API key file cannot be read: {error}") from error


def _api_key_of_command(command: str, origin: str) -> str:
    import subprocess

    words = _words(command, origin)
    try:
        done = subprocess.run(  # noqa: S603  (the trader's own command, from the trader's own configuration)
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=API_KEY_COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise unusable(origin, f"the API key command failed: {error}") from error
    return _checked_api_key(done.stdout, origin)


def _words(command: str, origin: str) -> list[str]:
    import shlex

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise unusable(origin, f"{command!r} is not a command: {error}") from error
    if not words:
        raise unusable(origin, "the command is empty")
    return words


def _checked_api_key(text: str, origin: str) -> str:
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise unusable(origin, "not an API key: it must be one line of printable characters")
    return key
