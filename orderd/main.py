"""The ``orderd`` command. Each role imports its parts when it is called."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from orderd.commands.audit import audit
from orderd.commands.doctor import doctor
from orderd.commands.token import token_app
from orderd.config.loading import ConfigurationError, database_url, load_settings
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.telemetry import configure_logging

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2

_KEYED = ("rpc_url", "rpc_ws_url")
"""Addresses that carry the key of a plan with their provider."""

_DATABASE_HINT = """
Where it is one of your own: is ORDERD_DATABASE_URL right, and does the server run?
Where orderd brings it along: is the daemon running, as this user, and with this --state-dir?"""

app = typer.Typer(
    name="orderd",
    help="An order execution engine for Solana. Settings come from flags, ORDERD_* variables and orderd.toml.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(token_app, name="token")
app.command()(audit)
app.command()(doctor)
simnet_app = typer.Typer()
app.add_typer(simnet_app, name="simnet")
Config = Annotated[Path | None, typer.Option(help="The configuration file [default: orderd.toml]")]
StateDir = Annotated[Path | None, typer.Option(help="Where the services of its own, and the wallet, keep their data")]
Host = Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="The port for websocket and HTTP; 0 takes a free one [default: 3000]")]
Chain = Annotated[str | None, typer.Option(help="simnet, devnet or mainnet [default: simnet]")]
Wallet = Annotated[Path | None, typer.Option(help="The keypair file [default: wallet.json in the state directory]")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error [default: info]")]
LogFormat = Annotated[str | None, typer.Option(help="json or console [default: json]")]


def main() -> None:
    """Run the command line; whatever goes wrong is said in one place, with what to do next."""
    from peewee import OperationalError

    from db.connection import SchemaError
    from orderd.solana.keys import WalletError

    try:
        app()
    except ConfigurationError as error:
        sys.exit(_complain("The configuration cannot be used.", str(error), EXIT_CONFIGURATION))
    except WalletError as error:
        sys.exit(_complain("The wallet cannot be used.", str(error), EXIT_CONFIGURATION))
    except SchemaError as error:
        sys.exit(_complain("The database's tables do not fit.", str(error), EXIT_FAILED))
    except OperationalError as error:
        sys.exit(_complain("The database does not answer.", f"{error}{_DATABASE_HINT}", EXIT_FAILED))
    except OrderdError as error:
        detail = f"{error.detail}\nnext: {error.spec.next_step}"
        sys.exit(_complain(f"{error.spec.title} ({error.code}).", detail, EXIT_FAILED))


@app.command()
def run(
    config: Config = None,
    state_dir: StateDir = None,
    host: Host = None,
    port: Port = None,
    chain: Chain = None,
    wallet: Wallet = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """Everything in one process tree, with Postgres, Redis and a local chain of its own where none is configured."""
    from orderd.process.tree import run

    run(
        _settings(
            config=config,
            state_dir=state_dir,
            host=host,
            port=port,
            chain=chain,
            wallet=wallet,
            log_level=log_level,
            log_format=log_format,
        )
    )


@app.command()
def gateway(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """The port that clients connect to. Needs ORDERD_DATABASE_URL, ORDERD_REDIS_URL and ORDERD_RPC_URL."""
    from orderd.gateway.process import run_gateway

    run_gateway(_connected(_settings(config=config, host=host, port=port, log_level=log_level, log_format=log_format)))


@app.command()
def worker(config: Config = None, log_level: LogLevel = None, log_format: LogFormat = None) -> None:
    """Executes orders. Needs ORDERD_DATABASE_URL, ORDERD_REDIS_URL and ORDERD_RPC_URL."""
    from orderd.queue.worker import run_worker

    run_worker(_connected(_settings(config=config, log_level=log_level, log_format=log_format)))


@simnet_app.callback(invoke_without_command=True)
def simnet(
    context: typer.Context,
    config: Config = None,
    state_dir: StateDir = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(help="For HTTP; the websocket has the next one [default: 0, free ones]")
    ] = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """The local Solana, with Raydium and Meteora pools and a market that moves."""
    from orderd.simnet.config import SimnetConfig
    from orderd.simnet.ledger import LedgerError
    from orderd.simnet.server import SimnetError, run

    settings = _settings(
        config=config,
        state_dir=state_dir,
        simnet_host=host,
        simnet_port=port,
        log_level=log_level,
        log_format=log_format,
    )
    if context.invoked_subcommand is not None:
        return
    chain = SimnetConfig.model_validate(
        {
            "state_dir": settings.state_dir / "simnet",
            "host": settings.simnet_host,
            "port": settings.simnet_port,
            "slot_ms": settings.simnet_slot_ms,
            "seed": settings.simnet_seed,
            "market": settings.simnet_market,
            "faults": settings.simnet_faults,
        }
    )
    try:
        run(chain)
    except (SimnetError, LedgerError) as error:
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"the local chain cannot run: {error}") from error


@simnet_app.command()
def dump_transaction(
    signature: Annotated[str, typer.Argument(help="The transaction's first signature, in base58")],
    config: Config = None,
    state_dir: StateDir = None,
) -> None:
    """Print a transaction of the local chain with all accounts before and after it, as JSON, to run it elsewhere."""
    from solders.signature import Signature

    from orderd.simnet.chain import ledger_path
    from orderd.simnet.dump import NotRecorded, dump_transaction
    from orderd.simnet.ledger import LedgerError

    settings = _settings(config=config, state_dir=state_dir)
    try:
        wanted = Signature.from_string(signature)
    except ValueError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"{signature!r} is no signature: 64 bytes in base58") from error
    try:
        dumped = dump_transaction(ledger_path(settings.state_dir / "simnet"), wanted)
    except NotRecorded as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, str(error)) from error
    except LedgerError as error:
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, str(error)) from error
    typer.echo(json.dumps(dumped, indent=2))


@app.command()
def migrate(config: Config = None, state_dir: StateDir = None) -> None:
    """Bring the database's tables up to date. Safe to run from several hosts at once."""
    from db.connection import connect, database
    from db.connection import migrate as apply

    connect(database_url(_settings(config=config, state_dir=state_dir)), max_connections=1)
    try:
        applied = apply()
    finally:
        database.close_all()
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("the tables are up to date")


@app.command()
def wallet(config: Config = None, state_dir: StateDir = None) -> None:
    """Show the wallet's address; on simnet, make the wallet if there is none, and let the faucet fund it."""
    from orderd.process.wallet import fund_on_simnet, open_wallet
    from orderd.solana.rpc import RpcClient

    settings = _settings(config=config, state_dir=state_dir)
    opened = open_wallet(settings)
    if settings.chain == "simnet" and settings.rpc_url is not None:
        for amount in fund_on_simnet(RpcClient(settings.rpc_url), opened.address):
            typer.echo(f"funded with {amount}", err=True)
    typer.echo(str(opened.address))


@app.command()
def check_config(config: Config = None) -> None:
    """Read the configuration, say what is wrong with it or what it comes to. Secrets are not shown."""
    settings = _settings(config=config)
    for name, value in settings.model_dump(mode="json").items():
        typer.echo(f"{name} = {'**********' if name in _KEYED and value is not None else value}")


@app.command()
def demo() -> None:
    """Start everything in a directory of its own, trade 1.5 SOL for USDC in front of you, stop everything."""
    from orderd.commands.demo import demo

    sys.exit(demo())


def _settings(**flags: object) -> Settings:
    settings = load_settings(**flags)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _connected(settings: Settings) -> Settings:
    """A role on its own brings no services along. Raises ConfigurationError when one is not configured."""
    missing = [name for name in ("database_url", "redis_url", "rpc_url") if getattr(settings, name) is None]
    if missing:
        names = ", ".join(f"ORDERD_{name.upper()}" for name in missing)
        raise ConfigurationError(f"this role needs {names}; or start everything with: orderd run")
    return settings


def _complain(title: str, detail: str, exit_code: int) -> int:
    """Say what is wrong on stderr."""
    typer.echo(f"orderd: {title}", err=True)
    for line in detail.splitlines():
        typer.echo(f"  {line}", err=True)
    return exit_code


if __name__ == "__main__":
    main()
