"""``python -m orderd.simnet``: a simnet in the foreground."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orderd.command_line import CommandLine
from orderd.domain.strict_json import read_json
from orderd.simnet.config import SimnetConfig
from orderd.simnet.faults import Faults
from orderd.simnet.ledger.file import LedgerError
from orderd.simnet.programs.binaries import BinariesError
from orderd.simnet.server import SimnetError, run


def main(
    state_dir: Annotated[Path, typer.Option(help="Directory of the ledger.")],
    host: str = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="HTTP port; the websocket listens on the next one. 0 picks two free ports.")
    ] = 0,
    slot_ms: int = 400,
    confirm_ms: Annotated[int, typer.Option(help="Milliseconds until a block is confirmed.")] = 0,
    newest_version: Annotated[int, typer.Option(min=0, max=1, help="Newest transaction version that it accepts.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the market and the faults.")] = 1,
    market: Annotated[bool, typer.Option(help="Whether prices move by themselves.")] = True,
    programs: Annotated[Path | None, typer.Option(help="Directory of program binaries, named <program id>.so.")] = None,
    faults: Annotated[str, typer.Option(help="Faults to inject, as a JSON object.")] = "{}",
) -> None:
    """Run a local Solana with Raydium and Meteora pools until SIGTERM or SIGINT."""
    try:
        config = SimnetConfig(
            state_dir=state_dir,
            host=host,
            port=port,
            slot_ms=slot_ms,
            confirm_ms=confirm_ms,
            newest_version=1 if newest_version else 0,
            seed=seed,
            market=market,
            programs=programs,
            faults=_faults(faults),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        run(config)
    except (SimnetError, LedgerError, BinariesError) as error:
        typer.echo(f"simnet: {error}", err=True)
        sys.exit(1)


def _faults(text: str) -> Faults:
    try:
        return Faults.model_validate(read_json(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from error


if __name__ == "__main__":
    app = CommandLine()
    app.command()(main)
    app()
