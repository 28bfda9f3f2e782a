"""``orderd simnet``: runs the local Solana chain only, and dumps its transactions."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orderd.command_line import CommandLine
from orderd.commands.options import Config, LogFormat, LogLevel, StateDir
from orderd.commands.prepare import prepare
from orderd.domain.errors import ErrorCode, OrderdError

if TYPE_CHECKING:
    from orderd.config.settings import Settings
    from orderd.simnet.config import SimnetConfig

simnet_app = CommandLine()


@simnet_app.callback(invoke_without_command=True)
def simnet(
    context: typer.Context,
    config: Config = None,
    state_dir: StateDir = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None,
        typer.Option(help="The HTTP port; the websocket uses the next one. 0 selects free ones [default: 0]"),
    ] = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """Run the local Solana chain, with Raydium and Meteora pools and a moving market."""
    from orderd.simnet.ledger.file import LedgerError
    from orderd.simnet.programs.binaries import BinariesError
    from orderd.simnet.server import SimnetError, run

    settings = prepare(
        config=config,
        state_dir=state_dir,
        simnet_host=host,
        simnet_port=port,
        log_level=log_level,
        log_format=log_format,
    )
    if context.invoked_subcommand is not None:
        return
    try:
        run(chain_of(settings))
    except (SimnetError, LedgerError, BinariesError) as error:
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"the local chain cannot run: {error}") from error


def chain_of(settings: "Settings") -> "SimnetConfig":
    """The configuration of the local chain."""
    from orderd.simnet.config import SimnetConfig

    wanted = {
        "state_dir": settings.state_dir / "simnet",
        "host": settings.simnet_host,
        "port": settings.simnet_port,
        "slot_ms": settings.local_slot_ms,
        "finality_slots": settings.local_profile.finality_slots,
        "newest_version": settings.local_profile.newest_version,
        "confirm_ms": settings.simnet_confirm_ms,
        "seed": settings.simnet_seed,
        "market": settings.simnet_market,
        "spread_bps": settings.simnet_spread_bps,
        "keep_days": settings.simnet_keep_days,
        "programs": settings.simnet_programs,
        "faults": _faults(settings),
    }
    return SimnetConfig.model_validate(wanted)


def _faults(settings: "Settings") -> dict[str, Any]:
    """The configured faults, including those with separate settings."""
    faults = dict(settings.simnet_faults)
    if settings.simnet_success_rate < 1:
        faults["failure_rate"] = 1 - settings.simnet_success_rate
    if latencies := settings.simnet_venue_latency_ms:
        faults["venue_latency_ms"] = {venue: (latency, latency) for venue, latency in latencies.items()}
    return faults


@simnet_app.command()
def dump_transaction(
    signature: Annotated[str, typer.Argument(help="The transaction's first signature, in base58")],
    config: Config = None,
    state_dir: StateDir = None,
) -> None:
    """Print a transaction of the local chain as JSON, with all accounts before and after it, to replay it elsewhere."""
    from solders.signature import Signature

    from orderd.simnet.chain import ledger_path
    from orderd.simnet.dump import NotRecordedError, dump_transaction
    from orderd.simnet.ledger.file import LedgerError

    settings = prepare(config=config, state_dir=state_dir)
    try:
        wanted = Signature.from_string(signature)
    except ValueError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"{signature!r} is not a signature: 64 bytes in base58") from error
    try:
        dumped = dump_transaction(ledger_path(settings.state_dir / "simnet"), wanted)
    except NotRecordedError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, str(error)) from error
    except LedgerError as error:
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, str(error)) from error
    typer.echo(json.dumps(dumped, indent=2))
