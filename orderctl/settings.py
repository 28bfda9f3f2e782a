"""Where the daemon is and how to talk to the trader: flag > environment > file > default.

    flag            environment            orderctl.toml   default
    --url           ORDERCTL_URL           url             ws://127.0.0.1:3000/
    --token-file    ORDERCTL_TOKEN_FILE    token_file      no token
    --color         ORDERCTL_COLOR         color           auto
    --timeout       ORDERCTL_TIMEOUT       timeout         10 (seconds)

ORDERCTL_TOKEN holds a token itself and comes before a token file that the environment or the file names. A token is
never taken from the command line, where every user of the machine could read it. The file is ``orderctl.toml`` in
the user's configuration directory, or the one that ORDERCTL_CONFIG names. Read by hand, not by pydantic-settings,
because its import alone takes longer than a command may.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args
from urllib.parse import urlsplit

import typer
from platformdirs import user_config_path

from orderctl.errors import ConfigError

Colour = Literal["auto", "always", "never"]
T = TypeVar("T")

DEFAULT_URL = "ws://127.0.0.1:3000/"
DEFAULT_TIMEOUT = 10.0
_FILE_KEYS = ("url", "token_file", "color", "timeout")


@dataclass(slots=True)
class Flags:
    """What the command line says, before and after the verb."""

    url: str | None = None
    token_file: Path | None = None
    color: Colour | None = None
    timeout: float | None = None
    quiet: bool = False
    debug: bool = False
    output: str = "table"


@dataclass(frozen=True, slots=True)
class Settings:
    url: str = DEFAULT_URL
    token: str | None = field(default=None, repr=False)
    color: Colour = "auto"
    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for a connection, and for each answer."""
    quiet: bool = False


def settings_of(ctx: typer.Context, output: str) -> Settings:
    """The settings of a command that prints ``output``. Raises what ``load`` raises."""
    flags: Flags = ctx.obj
    flags.output = output
    settings = load(flags, os.environ)
    flags.color = settings.color
    return settings


def load(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Raises ConfigError for a value that cannot be used, naming where it comes from."""
    file = _read_file(environ)

    def chosen(name: str, parse: Callable[[str, str], T], default: T) -> T:
        variable = f"ORDERCTL_{name.upper()}"
        if (flag := getattr(flags, name)) is not None:
            return parse(str(flag), f"--{name.replace('_', '-')}")
        if environ.get(variable):
            return parse(environ[variable], variable)
        if name in file:
            return parse(str(file[name]), f"{name} in {config_path(environ)}")
        return default

    token = environ.get("ORDERCTL_TOKEN") if flags.token_file is None else None
    return Settings(
        url=chosen("url", _url, DEFAULT_URL),
        token=token or chosen("token_file", _token, None),
        color=chosen("color", _colour, "auto"),
        timeout=chosen("timeout", _seconds, DEFAULT_TIMEOUT),
        quiet=flags.quiet,
    )


def config_path(environ: Mapping[str, str]) -> Path:
    named = environ.get("ORDERCTL_CONFIG")
    return Path(named) if named else user_config_path("orderctl") / "orderctl.toml"


def _read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = config_path(environ)
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        if "ORDERCTL_CONFIG" in environ:
            raise _bad(f"{path} (ORDERCTL_CONFIG)", "there is no such file") from error
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(str(path), str(error)) from error
    for name in content:
        if name not in _FILE_KEYS:
            raise _bad(str(path), f"{name!r} is no setting; there are {', '.join(_FILE_KEYS)}")
    return content


def _url(text: str, origin: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise _bad(origin, f"{text!r} is no websocket address; write it like {DEFAULT_URL}")
    return text


def _colour(text: str, origin: str) -> Colour:
    for colour in get_args(Colour):
        if text == colour:
            return cast(Colour, colour)
    raise _bad(origin, f"{text!r} is none of {', '.join(get_args(Colour))}")


def _seconds(text: str, origin: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise _bad(origin, f"{text!r} is no number of seconds between 0 and 86400")
    return seconds


def _token(path: str, origin: str) -> str | None:
    try:
        token = Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(origin, f"the token file cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise _bad(origin, f"{path} does not hold a token: it must be one line of printable characters")
    return token


def _bad(origin: str, detail: str) -> ConfigError:
    return ConfigError(
        "The configuration cannot be used", f"{origin}: {detail}", "correct it and run the command again"
    )
