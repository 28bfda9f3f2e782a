"""``orderd check-config``: what the configuration comes to."""

import typer

from orderd.commands.options import Config
from orderd.commands.prepare import prepare

_KEYED = ("rpc_url", "rpc_ws_url")
"""Addresses that carry the key of a plan with their provider."""


def check_config(config: Config = None) -> None:
    """Read the configuration and the file of alert receivers, say what is wrong with them or what the settings come to.

    Secrets are not shown.
    """
    from orderd.config.alerts import load_alerts

    settings = prepare(config=config)
    load_alerts(settings)
    for name, value in settings.model_dump(mode="json").items():
        typer.echo(f"{name} = {'**********' if name in _KEYED and value is not None else value}")
