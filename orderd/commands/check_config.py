"""``orderd check-config``: validates and prints the configuration."""

import typer

from orderd.commands.options import Config
from orderd.commands.prepare import prepare

_KEYED = ("rpc_url", "rpc_ws_url")
"""Settings with URLs that can contain an API key of the provider."""


def check_config(config: Config = None) -> None:
    """Check the configuration and the file of alert receivers, and print the resulting settings.

    Secrets are not shown.
    """
    from orderd.config.alerts import load_alerts

    settings = prepare(serves=True, config=config)
    load_alerts(settings)
    for name, value in settings.model_dump(mode="json").items():
        typer.echo(f"{name} = {'**********' if name in _KEYED and value is not None else value}")
