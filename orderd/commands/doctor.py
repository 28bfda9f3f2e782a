"""``orderd doctor``: checks everything that the daemon needs to trade safely."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from orderd.commands.database import database_of
from orderd.commands.finding import DoctorFinding, tried
from orderd.commands.options import Config
from orderd.config.loading import ConfigurationError, load_settings
from orderd.config.settings import Settings
from orderd.domain.errors import ERRORS, OrderdError
from orderd.telemetry import configure_logging

_CHAIN_SECONDS = 5.0
_SMALL_TABLE_BYTES = 2**20
"""Smaller tables are only included in the sum."""


def doctor(
    config: Config = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="The daemon's state directory, if it runs embedded services")
    ] = None,
) -> None:
    """Check the configuration, the certificate, the chain's endpoint, the wallet, the database and the programs.

    Exits with 1 if a check fails.
    """
    configure_logging("error", "console")  # findings are printed below
    failed = False
    for finding in _examine(config, state_dir):
        failed |= finding.result == "fail"
        fix = f" ({finding.fix})" if finding.fix else ""
        typer.echo(f"{finding.result}\t{finding.check}\t{finding.detail}{fix}")
    raise typer.Exit(1 if failed else 0)


def _examine(config: Path | None, state_dir: Path | None) -> Iterator[DoctorFinding]:
    try:
        settings = load_settings(serves=True, config=config, state_dir=state_dir)
    except ConfigurationError as error:
        yield from (DoctorFinding("configuration", "fail", line) for line in error.detail.splitlines())
        return
    yield DoctorFinding("configuration", "ok", f"chain {settings.chain}, state in {settings.state_dir}")
    yield _reach(settings)
    yield tried("certificate", lambda: _certificate(settings))
    yield tried("alerts", lambda: _alerts(settings))
    chain = tried("chain", lambda: _chain(settings))
    yield chain
    yield tried("wallet", lambda: _wallet(settings))
    if chain.result != "fail":
        yield from _endpoint(settings)
    yield from _database(settings, config, state_dir)


def _reach(settings: Settings) -> DoctorFinding:
    where = f"listens on {settings.host}:{settings.port}"
    if settings.is_local:
        return DoctorFinding("port", "ok", f"{where}, for this machine only")
    if settings.tls_cert is not None:
        return DoctorFinding("port", "ok", f"{where}, with TLS")
    fix = "add its address to ORDERD_TRUSTED_PROXIES" if not settings.trusted_proxies else ""
    return DoctorFinding("port", "warn", f"{where}, without TLS: a proxy must terminate TLS", fix)


def _certificate(settings: Settings) -> DoctorFinding:
    from orderd.gateway.port.tls import certificate_of

    if certificate_of(settings) is None:
        return DoctorFinding("certificate", "ok", "none is configured")
    return DoctorFinding("certificate", "ok", f"{settings.tls_cert} matches its key")


def _alerts(settings: Settings) -> DoctorFinding:
    from orderd.config.alerts import load_alerts

    alerts = load_alerts(settings)
    if alerts is None:
        return DoctorFinding("alerts", "ok", "no receivers: ORDERD_ALERTS is not set")
    return DoctorFinding("alerts", "ok", f"receivers {', '.join(alerts.receivers)}; test them with: orderd alert test")


def _chain(settings: Settings) -> DoctorFinding:
    from orderd.engine.chain import NO_HISTORY, check_network
    from orderd.solana.rpc import RpcClient, RpcError, RpcWrongChainError
    from orderd.solana.transport import HttpTransport

    if settings.rpc_url is None:
        return DoctorFinding("chain", "ok", "the daemon starts simnet, its local chain")
    endpoint = RpcClient("", transport=HttpTransport(settings.rpc_url, read_timeout=_CHAIN_SECONDS))
    try:
        check_network(settings.chain, endpoint.get_genesis_hash())
        try:
            keeps_history = endpoint.has_transaction_history()
        except RpcError as error:
            detail = f"the endpoint is on {settings.chain}; it is unknown whether it keeps transaction history: {error}"
            return DoctorFinding("chain", "warn", detail, "use an endpoint that keeps it")
        if not keeps_history:
            return DoctorFinding("chain", "warn", NO_HISTORY, "use an endpoint that keeps it")
    except RpcWrongChainError as error:
        return DoctorFinding("chain", "fail", str(error), ERRORS[error.error_code].next_step)
    except RpcError as error:
        return DoctorFinding("chain", "warn", f"the endpoint does not respond: {error}", "the daemon waits for it")
    finally:
        endpoint.close()
    nodes = "one node" if settings.is_one_node else "treated as several nodes behind one address"
    return DoctorFinding("chain", "ok", f"the endpoint responds, keeps transaction history, and is {nodes}")


def _wallet(settings: Settings) -> DoctorFinding:
    from orderd.solana.keys import load_wallet

    if settings.is_local_chain and not settings.wallet_path.exists():
        return DoctorFinding("wallet", "ok", f"{settings.wallet_path} is created at the first start")
    return DoctorFinding("wallet", "ok", str(load_wallet(settings.wallet_path).address))


def _endpoint(settings: Settings) -> Iterator[DoctorFinding]:
    from contextlib import closing, suppress

    from orderd.commands.endpoint import examine
    from orderd.engine.trading import wallet_address
    from orderd.solana.keys import WalletError
    from orderd.solana.rpc import RpcClient, RpcError
    from orderd.solana.transport import HttpTransport

    if settings.rpc_url is None:
        return
    wallet = None
    with suppress(WalletError):  # reported already
        wallet = wallet_address(settings)
    transport = HttpTransport(settings.rpc_url, read_timeout=_CHAIN_SECONDS)
    with closing(RpcClient("", transport=transport)) as rpc:
        try:
            rpc.get_slot()
        except RpcError:  # reported already
            return
        yield from examine(rpc, settings, wallet)


def _database(settings: Settings, config: Path | None, state_dir: Path | None) -> Iterator[DoctorFinding]:
    try:
        with database_of(config, state_dir):
            sizes = _sizes()
            keys = tried("api keys", lambda: _api_keys(settings))
            programs = tried("programs", lambda: _programs(settings)) if settings.rpc_url is not None else None
    except OrderdError as error:
        yield DoctorFinding("api keys", "fail", error.detail, error.spec.next_step)
        return
    yield sizes
    yield keys
    if programs is not None:
        yield programs


def _sizes() -> DoctorFinding:
    from db.retention import table_bytes

    sizes = table_bytes()
    tables = ", ".join(f"{table} {size / 2**20:.1f}" for table, size in sizes.items() if size >= _SMALL_TABLE_BYTES)
    return DoctorFinding("tables", "ok", f"{sum(sizes.values()) / 2**20:.1f} MiB in all{tables and ': '}{tables}")


def _api_keys(settings: Settings) -> DoctorFinding:
    from orderd.gateway.access.authentication import api_key_required, check_exposure

    check_exposure(settings)
    access = "required of every client" if api_key_required(settings) else "not required"
    return DoctorFinding("api keys", "ok", f"{access}; the database and its schema are usable")


def _programs(settings: Settings) -> DoctorFinding:
    """Which pool kinds are traded, according to the stored proofs. Raises OrderdError if the chain does not respond."""
    from orderd.engine.proved_kinds import ProvedKinds
    from orderd.engine.trading import open_rpc

    kinds = settings.traded_kinds
    if not settings.needs_proof:
        return DoctorFinding("programs", "ok", f"{', '.join(kinds)} are traded; this chain needs no proofs")
    known = ProvedKinds(open_rpc(settings, _CHAIN_SECONDS), settings.chain, kinds).current()
    proved = [kind for kind in kinds if known[kind] is None]
    detail = "; ".join(
        [f"{', '.join(proved) or 'none'} proved", *(f"{kind}: {why}" for kind, why in known.items() if why)]
    )
    if len(proved) == len(kinds):
        return DoctorFinding("programs", "ok", detail)
    return DoctorFinding(
        "programs", "warn" if proved else "fail", detail, "compare quotes with the programs: orderd prove"
    )
