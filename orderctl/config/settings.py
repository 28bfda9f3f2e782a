"""Where the daemon is and how to talk to the trader: flag > environment > context > file > default.

    flag            environment              orderctl.toml   default
    --url           ORDERCTL_URL             url             ws://127.0.0.1:3000/
    --ca            ORDERCTL_CA              ca              the authorities that this machine trusts
    --token-file    ORDERCTL_TOKEN_FILE      token_file      no token
                    ORDERCTL_TOKEN_COMMAND   token_command   none
    --color         ORDERCTL_COLOR           color           auto
    --timeout       ORDERCTL_TIMEOUT         timeout         10 (seconds)

ORDERCTL_TOKEN holds a token itself and comes before a token file or command that is not a flag. A token is never taken
from the command line, where every user of the machine could read it; a command, such as ``secret-tool lookup ...``,
brings it from a keyring. Read by hand, not by pydantic-settings, because its import alone takes longer than a command
may.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, get_args
from urllib.parse import urlsplit

from orderctl.config.origins import Choice, Colour, Flags, explain, path_of, read_text
from orderd.client.endpoint import DEFAULT_TIMEOUT, DEFAULT_URL, Endpoint
from orderd.client.errors import unusable
from orderd.domain.authority import host_of

if TYPE_CHECKING:
    import typer

T = TypeVar("T")

DEFAULTS = {"url": DEFAULT_URL, "color": "auto", "timeout": f"{DEFAULT_TIMEOUT:g}"}
"""As text, of the settings that have one."""
TOKEN_COMMAND_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Settings(Endpoint):
    color: Colour = "auto"
    quiet: bool = False


def settings_of(ctx: "typer.Context", output: str) -> Settings:
    """The settings of a command that prints ``output``. Raises what ``load`` raises."""
    flags: Flags = ctx.obj
    flags.output = output
    settings = load(flags, os.environ)
    flags.color = settings.color
    return settings


def load(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Raises ConfigError for a value that cannot be used, naming where it comes from."""
    chosen = explain(flags, environ)

    def read(name: str, parse: Callable[[str, str], T], default: T) -> T:
        choice = chosen[name]
        return default if choice.text is None else parse(choice.text, choice.origin)

    return Settings(
        url=read("url", _url, DEFAULT_URL),
        ca=read("ca", _file, None),
        token=_token(chosen),
        color=read("color", _colour, "auto"),
        timeout=read("timeout", _seconds, DEFAULT_TIMEOUT),
        quiet=flags.quiet,
    )


def check(name: str, text: str, origin: str) -> object:
    """What a setting of the file comes to, without running a token command. Raises ConfigError."""
    checks: dict[str, Callable[[str, str], object]] = {
        "url": _url,
        "ca": _file,
        "color": _colour,
        "timeout": _seconds,
        "token_file": _token_of_file,
        "token_command": _words,
    }
    return checks[name](text, origin)


def _url(text: str, origin: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("ws", "wss") and host_of(parts.netloc.rpartition("@")[2]) is not None
    except ValueError:
        is_usable = False
    if not is_usable or not text.isascii() or not text.isprintable() or " " in text:
        raise unusable(origin, f"{text!r} is no websocket address; write it like {DEFAULT_URL}")
    return text


def _file(text: str, origin: str) -> Path:
    path = path_of(text, origin)
    try:
        is_there = path.is_file()
    except (OSError, ValueError) as error:
        raise unusable(origin, f"{path}: {error}") from error
    if not is_there:
        raise unusable(origin, f"there is no file {path}")
    return path


def _colour(text: str, origin: str) -> Colour:
    for colour in get_args(Colour):
        if text == colour:
            return cast(Colour, colour)
    raise unusable(origin, f"{text!r} is none of {', '.join(get_args(Colour))}")


def _seconds(text: str, origin: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise unusable(origin, f"{text!r} is no number of seconds between 0 and 86400")
    return seconds


def _token(chosen: Mapping[str, Choice]) -> str | None:
    """From where it was said most forcefully; at the same place a token itself before a file before a command."""
    found = min((chosen[name].rank, order, name) for order, name in enumerate(("token", "token_file", "token_command")))
    choice = chosen[found[2]]
    if choice.text is None:
        return None
    if found[2] == "token":
        return _checked_token(choice.text, choice.origin)
    if found[2] == "token_file":
        return _token_of_file(choice.text, choice.origin)
    return _token_of_command(choice.text, choice.origin)


def _token_of_file(path: str, origin: str) -> str:
    try:
        return _checked_token(read_text(path_of(path, origin)), f"{origin}: {path}")
    except (OSError, ValueError) as error:
        raise unusable(origin, f"the token file cannot be read: {error}") from error


def _token_of_command(command: str, origin: str) -> str:
    import subprocess  # here, because most traders have no such command

    words = _words(command, origin)
    try:
        done = subprocess.run(  # noqa: S603  (the trader's own command, from the trader's own configuration)
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TOKEN_COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise unusable(origin, f"the command brings no token: {error}") from error
    return _checked_token(done.stdout, origin)


def _words(command: str, origin: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise unusable(origin, f"{command!r} is no command: {error}") from error
    if not words:
        raise unusable(origin, "the command is empty")
    return words


def _checked_token(text: str, origin: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise unusable(origin, "this is no token: it must be one line of printable characters")
    return token
