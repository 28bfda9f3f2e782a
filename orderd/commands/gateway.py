"""``orderd gateway``: runs a gateway only."""

from orderd.commands.options import Config, Host, LogFormat, LogLevel, Port
from orderd.commands.prepare import prepare_role


def gateway(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> None:
    """Run a gateway, which clients connect to. Needs ORDERD_DATABASE_URL, ORDERD_REDIS_URL and ORDERD_RPC_URL."""
    from orderd.gateway.process import run_gateway

    run_gateway(
        prepare_role(serves=True, config=config, host=host, port=port, log_level=log_level, log_format=log_format)
    )
