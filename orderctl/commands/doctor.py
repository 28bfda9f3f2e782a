"""orderctl doctor"""

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

import typer

from orderctl.config.origins import config_path
from orderctl.config.settings import Settings, settings_of
from orderctl.display.formats import counted
from orderctl.output.colours import CheckResult
from orderctl.output.documents import Doctor, Finding
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.version import mismatches
from orderd.client.connection import Client
from orderd.client.errors import ClientError
from orderd.domain.errors import ERRORS, ErrorCode
from orderd.wire.balances import BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult

PAIR = ("SOL", "USDC")
"""A pair that every venue trades."""
PROBE = {"token_in": PAIR[0], "token_out": PAIR[1], "amount_in": "1"}
UNPROVEN = ERRORS[ErrorCode.POOL_UNPROVEN]
FEE_RESERVE = Decimal("0.01")
"""SOL that a wallet should have for transaction fees."""


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Check the configuration, the daemon, its services and the wallet, and suggest fixes.

    Nothing is changed. Exits with 3 if a check fails; warnings do not count.
    """
    settings = settings_of(ctx, output)
    findings = tuple(_examine(settings))
    if not print_data(output, Doctor(findings=findings), findings):
        from orderctl.display.findings import findings_view
        from orderctl.display.tables import print_whole

        out = console(settings)
        print_whole(findings_view(findings, out.width), out)
    failed = any(finding.result == "fail" for finding in findings)
    return ExitCode.CONNECTION if failed else ExitCode.OK


def _finding(check: str, result: CheckResult, detail: str, fix: str = "") -> Finding:
    return Finding(check=check, result=result, detail=detail, fix=fix)


def _examine(settings: Settings) -> Iterator[Finding]:
    path = config_path(os.environ)
    yield _finding("configuration", "ok", str(path) if path.exists() else "no file; none is required")
    with Client(settings) as client:
        try:
            status = client.call(Method.STATUS, NoParams(), StatusResult)
        except ClientError as error:
            yield _finding("daemon", "fail", f"{error.title}: {error.detail}", error.next_step)
            return
        yield from _of_status(status, settings)
        yield _wallet(client)
        yield _prices(client)
        if status.chain != "simnet":
            yield _programs(client)


def _of_status(status: StatusResult, settings: Settings) -> Iterator[Finding]:
    if status.draining:
        yield _finding("daemon", "warn", "it is stopping and accepts no orders", "wait, or start it: orderd run")
    else:
        yield _finding("daemon", "ok", f"responds at {settings.url}")
    differ = [*mismatches(status)]
    for mismatch, fix in differ:
        yield _finding("version", "warn", mismatch, fix)
    if not differ:
        yield _finding("version", "ok", f"{status.version} on both sides")
    slot = f", slot {status.slot}" if status.slot is not None else ""
    if status.chain == "mainnet":
        yield _finding("chain", "warn", f"mainnet{slot}: the money is real", "test orders with --dry-run first")
    else:
        yield _finding("chain", "ok", f"{status.chain}{slot}")
    for halt in status.halts:
        yield _finding("trading", "fail", halt.summary, "to resume trading: orderctl halt --lift")
    for name, health in status.services.items():
        if health.ok:
            yield _finding(name, "ok", "responds")
        else:
            yield _finding(name, "fail", health.detail, f"restart it; see the daemon's log: action={name}")
    if "workers" in status.untold:
        yield _finding("workers", "warn", "unknown: Redis does not respond", "restart Redis")
    elif status.workers:
        yield _finding("workers", "ok", f"{status.workers} alive")
    else:
        yield _finding("workers", "fail", "none is alive: orders are accepted and wait", "start one: orderd worker")
    use = status.rate_limit
    if "rate_limit.used" in status.untold:
        yield _finding("rate limit", "warn", "unknown: Redis does not respond", "restart Redis")
    elif use.waiting:
        detail = f"{use.waiting} orders wait; the limit is {use.limit} per {use.window_seconds} s"
        yield _finding("rate limit", "warn", detail, "wait, or raise ORDERD_RATE_LIMIT")
    else:
        yield _finding("rate limit", "ok", f"{use.used} of {use.limit} used" if use.limit else "off")


def _wallet(client: Client) -> Finding:
    try:
        wallet = client.call(Method.BALANCES, NoParams(), BalancesResult)
    except ClientError as error:
        return _finding("wallet", "fail", f"{error.title}: {error.detail}", error.next_step)
    sol = next((balance for balance in wallet.balances if balance.token == "SOL"), None)
    held = Decimal(0) if sol is None else Decimal(sol.amount)
    wrapped = f", of which {sol.wrapped} wrapped" if sol is not None and Decimal(sol.wrapped or 0) else ""
    detail = f"{held} SOL{wrapped} in {wallet.wallet}"
    if held < FEE_RESERVE:
        return _finding("wallet", "warn", detail, "send SOL to the wallet: each transaction costs a fee")
    return _finding("wallet", "ok", detail)


def _prices(client: Client) -> Finding:
    try:
        quote = client.call(Method.QUOTE, QuoteParams(**PROBE), QuoteResult)
    except ClientError as error:
        return _finding("prices", "fail", f"{error.title}: {error.detail}", error.next_step)
    answering = {offer.venue for offer in quote.quotes}
    silent = [refusal for refusal in quote.refusals if refusal.venue not in answering]
    if silent:
        detail = "; ".join(f"{refusal.venue}: {refusal.code}: {refusal.detail}" for refusal in silent)
        return _finding("prices", "warn", detail, "orders use the other venue meanwhile")
    return _finding(
        "prices", "ok", f"quotes from {counted(len(quote.quotes), 'pool')} ({', '.join(sorted(answering))})"
    )


def _programs(client: Client) -> Finding:
    """Which pool kinds are traded on a chain where only proved kinds are."""
    try:
        pools = client.call(Method.POOLS, PoolsParams(token=PAIR), PoolsResult)
    except ClientError as error:
        return _finding("programs", "fail", f"{error.title}: {error.detail}", error.next_step)
    traded = ", ".join(dict.fromkeys(pool.kind for pool in pools.pools)) or "none"
    unproven = dict.fromkeys(refusal.detail for refusal in pools.refusals if refusal.code is ErrorCode.POOL_UNPROVEN)
    if unproven:
        return _finding("programs", "warn", "; ".join((f"traded: {traded}", *unproven)), UNPROVEN.next_step)
    return _finding("programs", "ok", f"traded: {traded}")
