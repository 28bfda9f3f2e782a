"""Reads the settings, and explains faults by the names and values that the user wrote."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from stat import S_ISDIR

from pydantic import ValidationError

from orderd.config.credentials import credentials
from orderd.config.settings import CONFIG_VARIABLE, Settings, config_file
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.text import NoTextError
from orderd.simnet.config import MAX_CONFIRM_SLOTS
from orderd.simnet.faults import Faults
from orderd.solana.pool_programs import program_of

PREFIX = "ORDERD_"


class ConfigurationError(OrderdError):
    """Settings or options that cannot be used. The text has one line per fault, with its source."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.SERVICE_CONFIGURATION, detail)


def load_settings(*, serves: bool = False, **flags: object) -> Settings:
    """The settings of this process. Raises one ConfigurationError for all faults.

    ``serves``: clients are to reach this process, so an endpoint and TLS must not be missing. A command that only reads
    the database needs neither, and may lack the credentials of the daemon's unit.

    Flags that are not None are written to the environment, so that child processes get them too.
    """
    given = {name: str(value) for name, value in flags.items() if value is not None}
    if empty := [name for name, value in given.items() if not value]:
        raise ConfigurationError("\n".join(f"--{name.replace('_', '-')}: it is empty" for name in empty))
    os.environ.update({f"{PREFIX}{name.upper()}": value for name, value in given.items()})
    handed_over, faults = credentials()
    for name, value in handed_over.items():
        os.environ.setdefault(f"{PREFIX}{name.upper()}", value)
    faults += [*_unusable_file(), *_unknown_variables()]
    settings: Settings | None = None
    try:
        settings = Settings()
    except ValidationError as error:
        faults += [_explain(fault["loc"], fault["msg"], fault["type"]) for fault in error.errors(include_url=False)]
    except (OSError, ValueError, RuntimeError) as error:  # RecursionError is a RuntimeError
        # What the file itself does; where it cannot even be named or opened, that is said already.
        faults = faults or [_explain_file(error)]
    else:
        faults += [*(_missing(settings) if serves else ()), *_contradictions(settings)]
    if faults or settings is None:
        raise ConfigurationError("\n".join(faults))
    return settings


def _unusable_file() -> list[str]:
    try:
        file = config_file()
        # Path.exists() and is_dir() report no errors from Python 3.14 on.
        if S_ISDIR(file.stat().st_mode):
            return [f"{file} is a directory, not a file"]
    except (FileNotFoundError, NotADirectoryError):
        return [f"{CONFIG_VARIABLE}={file}: there is no such file"] if os.environ.get(CONFIG_VARIABLE) else []
    except PermissionError:
        # Most often nobody has named the file: sudo -u, from a directory that this user may not read.
        where = config_file().absolute()
        return [f"this user may not read {where}: change the directory, or name a file with {CONFIG_VARIABLE}"]
    except (OSError, ValueError, RuntimeError) as error:
        return [f"{CONFIG_VARIABLE}: {error}"]
    return []


def _explain_file(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{config_file()} cannot be read: {error.strerror}"
    if isinstance(error, NoTextError):
        return f"{config_file()}: {error}"
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return f"{config_file()} is not a valid TOML: {why}"


def _unknown_variables() -> list[str]:
    """Faults for unknown names of variables. A misspelt name is an error, because the default would silently apply."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}
    faults = []
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.7)
            hint = f"; did you mean {near[0]}?" if near else ""
            faults.append(f"{name} is not a setting of orderd{hint}")
    return faults


def _explain(location: tuple[int | str, ...], message: str, kind: str) -> str:
    name = str(location[0])
    name = name if name.isprintable() else ascii(name)
    if kind == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{name} in {config_file()} is not a setting of orderd{hint}"
    variable = f"{PREFIX}{name.upper()}"
    origin = variable if os.environ.get(variable) else f"{name} in {config_file()}"
    return f"{origin}: {message.removeprefix('Value error, ')}"


def _missing(settings: Settings) -> Iterator[str]:
    if settings.chain != "simnet" and settings.rpc_url is None:
        yield f"chain is {settings.chain}, so rpc_url is needed: set {PREFIX}RPC_URL to an endpoint of {settings.chain}"
    if not settings.is_local and settings.tls_cert is None and not settings.tls_terminated_by_proxy:
        yield (
            f"host is {settings.host}, which other machines can reach, so API keys and orders need TLS: set "
            f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY, or {PREFIX}TLS_TERMINATED_BY_PROXY=true if a proxy terminates TLS"
        )


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if (settings.tls_cert is None) != (settings.tls_key is None):
        faults.append("tls_cert and tls_key belong together: set both or none")
    if settings.keep_events_days is not None and settings.keep_events_days * 86_400 < settings.rate_window_seconds:
        faults.append(
            f"keep_events_days is {settings.keep_events_days}, which is shorter than rate_window_seconds: the starts "
            "of a whole window are counted by the events, so keep them at least that long"
        )
    faults += [
        f"pool_kinds names {kind}, whose program is not on {settings.chain}: leave it out"
        for kind in settings.pool_kinds
        if settings.chain not in program_of(kind).ids
    ]
    return [*faults, *_simnets_contradictions(settings)]


def _simnets_contradictions(settings: Settings) -> Iterator[str]:
    try:
        Faults.model_validate(settings.simnet_faults)
    except ValidationError as error:
        for fault in error.errors():
            yield f"simnet_faults, {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    if settings.simnet_success_rate < 1 and "failure_rate" in settings.simnet_faults:
        yield "simnet_success_rate and failure_rate of simnet_faults say the same: leave out one of them"
    if settings.simnet_venue_latency_ms and "venue_latency_ms" in settings.simnet_faults:
        yield "the venues' latencies and venue_latency_ms of simnet_faults say the same: leave out one of them"
    if settings.simnet_spread_bps and not settings.simnet_market:
        yield "a venue has a spread, and simnet_market is false: the market is what brings the prices there"
    if settings.simnet_confirm_ms > MAX_CONFIRM_SLOTS * settings.local_slot_ms:
        yield (
            f"simnet_confirm_ms is {settings.simnet_confirm_ms}, which is more than {MAX_CONFIRM_SLOTS} slots of "
            f"simnet_slot_ms: blockhashes would be too old by the time they are known"
        )


def database_url(settings: Settings) -> str:
    """The configured database, or the embedded one of ``orderd run`` for the same state directory."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    from orderd.embedded.postgres import Postgres  # imported here, because it only loads on Unix

    return Postgres(settings.state_dir).url
