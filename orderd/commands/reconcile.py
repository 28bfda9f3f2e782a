"""``orderd reconcile``: updates the records from the wallet's transactions on the chain."""

import typer

from orderd.commands.chain_options import with_endpoint
from orderd.commands.database import database_of
from orderd.commands.options import Config, DaemonsStateDir
from orderd.commands.prepare import prepare


def reconcile(config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """Read the wallet's transactions, and compare the records with its balances. Exits with 1 if they differ.

    It records deposits, withdrawals, trades by other programs, and fees of failed transactions. Nothing is sent, and
    the daemon can keep running. Transactions that were read before are not read again.
    """
    from orderd.domain.money import format_amount
    from orderd.domain.well_known import registry_of
    from orderd.engine.records.reconcile import Reconciliation
    from orderd.engine.trading import final_at, open_rpc, wallet_address
    from orderd.solana.json_rpc import translated_rpc_errors

    settings = with_endpoint(prepare(config=config, state_dir=state_dir))
    tokens = registry_of(settings.chain)
    with database_of(config, state_dir), translated_rpc_errors():
        reconciliation = Reconciliation(open_rpc(settings), wallet_address(settings), tokens, final_at(settings))
        report = reconciliation.run(lambda read, of: typer.echo(f"read {read} of {of} transactions", err=True))
    for kind, count in sorted(report.kept.items()):
        typer.echo(f"{kind}\t{count}")
    if report.waits:
        typer.echo("an order has not ended: run this again later to read its transactions and later ones", err=True)
        return
    differs = False
    for each in report.balances:
        token = tokens.find(each.mint)
        name, decimals = (each.mint, 0) if token is None else (token.symbol, token.decimals)
        missing = each.held - each.recorded
        differs |= missing != 0
        verdict = f"differs by {format_amount(missing, decimals)}" if missing else "agrees"
        typer.echo(f"{name}\t{format_amount(each.held, decimals)}\t{verdict}")
    raise typer.Exit(1 if differs else 0)
