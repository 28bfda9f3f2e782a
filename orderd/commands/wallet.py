"""``orderd wallet``: shows the wallet's address."""

import typer

from orderd.commands.options import Config, StateDir
from orderd.commands.prepare import prepare


def wallet(config: Config = None, state_dir: StateDir = None) -> None:
    """Show the wallet's address. On a local chain, create a missing wallet; on simnet, fund it from the faucet."""
    from orderd.process.wallet import fund_on_simnet, open_wallet, simnet_client

    settings = prepare(config=config, state_dir=state_dir)
    opened = open_wallet(settings)
    if settings.chain == "simnet" and settings.rpc_url is not None:
        for amount in fund_on_simnet(simnet_client(settings, settings.rpc_url), opened.address):
            typer.echo(f"funded with {amount}", err=True)
    typer.echo(str(opened.address))
