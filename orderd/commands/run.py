"""``orderd run``: runs all roles and services."""

from orderd.commands.options import Chain, Config, Host, LogFormat, LogLevel, Port, StateDir, Wallet
from orderd.commands.prepare import prepare


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
    """Run everything: gateway, worker and, unless configured, embedded Postgres and Redis and a local chain."""
    from orderd.process.tree import run_tree

    run_tree(
        prepare(
            serves=True,
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
