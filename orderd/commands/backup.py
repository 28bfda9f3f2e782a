"""``orderd backup``: dumps the database to a file, while the daemon runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orderd.commands.database import database_of
from orderd.commands.options import ArgumentError, Config, DaemonsStateDir
from orderd.config.loading import database_url, load_settings

_PATTERN = "orderd-*.dump"


def backup(
    directory: Annotated[Path, typer.Argument(help="The directory for the backup; it is created if it does not exist")],
    keep: Annotated[int | None, typer.Option(min=1, help="Delete all but this many of the newest backups")] = None,
    with_wallet: Annotated[
        Path | None,
        typer.Option(
            metavar="PASSPHRASE_FILE", help="Also back up the wallet, encrypted with the passphrase in this file"
        ),
    ] = None,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Write the database to DIRECTORY/orderd-TIME.dump. The daemon can keep running.

    The backup does not contain the wallet. With --with-wallet, it is written to a second file, in the age format
    (https://age-encryption.org). Trades after the backup are read from the chain after a restore.

    \b
    orderd backup /var/backups/orderd --keep 48
    """
    from orderd.embedded.dump import dump
    from orderd.embedded.postgres import Postgres

    settings = load_settings(config=config, state_dir=state_dir)
    if settings.database_url is None and not Postgres(settings.state_dir).exists():
        raise ArgumentError(f"there is no database in {settings.state_dir}: name the daemon's with --state-dir")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / f"orderd-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.dump"
    with database_of(config, state_dir):
        dump(database_url(settings), file)
    typer.echo(str(file))
    if with_wallet is not None:
        typer.echo(str(_encrypt(settings.wallet_path, with_wallet, file.with_suffix(".wallet.age"))))
    if keep is not None:
        for old in sorted(directory.glob(_PATTERN))[:-keep]:
            old.unlink()
            old.with_suffix(".wallet.age").unlink(missing_ok=True)


def _encrypt(wallet: Path, passphrase_file: Path, file: Path) -> Path:
    try:
        from pyrage import passphrase
    except ImportError:
        raise ArgumentError("--with-wallet needs pyrage: pip install 'orderd[backup]'") from None
    words = passphrase_file.read_text().strip()
    if not words:
        raise ArgumentError(f"{passphrase_file} is empty; write a passphrase into it")
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(passphrase.encrypt(wallet.read_bytes(), words))
    return file
