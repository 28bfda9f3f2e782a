"""``orderd token``: who may use the port."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from orderd.configuration import ConfigurationError, database_url, load_settings

token_app = typer.Typer(help="Make, list and revoke the bearer tokens that clients need.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose token it is, to know it by")]
Config = Annotated[Path | None, typer.Option(help="The configuration file [default: orderd.toml]")]
StateDir = Annotated[Path | None, typer.Option(help="The daemon's, where the database is the one it brings along")]


@token_app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, trade or admin; each includes the ones before")] = "trade",
    days: Annotated[int, typer.Option(min=1, help="How long it is valid")] = 90,
    config: Config = None,
    state_dir: StateDir = None,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from peewee import IntegrityError
    from uuid_utils import uuid7

    from db.models import DEFAULT_ACCOUNT, ApiToken
    from orderd.gateway.auth import Scope, new_token, token_hash

    if scope not in list(Scope):
        raise ConfigurationError(f"--scope {scope}: there are {', '.join(Scope)}")
    token = new_token()
    now = datetime.now(UTC)
    with _database(config, state_dir):
        try:
            ApiToken.insert(
                id=str(uuid7()),
                account_id=DEFAULT_ACCOUNT,
                name=name,
                hash=token_hash(token),
                scopes=[scope],
                created_at=now,
                expires_at=now + timedelta(days=days),
            ).execute()
        except IntegrityError as error:
            raise ConfigurationError(
                f"a token named {name!r} is valid already; revoke it with: orderd token revoke {name}"
            ) from error
    typer.echo(token)


@token_app.command("list")
def list_(config: Config = None, state_dir: StateDir = None) -> None:
    """Show all tokens, those that ended too, and when each was last used."""
    from db.models import ApiToken

    with _database(config, state_dir):
        for token in ApiToken.select().order_by(ApiToken.created_at):
            state = f"revoked {token.revoked_at:%F}" if token.revoked_at else f"valid until {token.expires_at:%F}"
            used = f"last used {token.last_used_at:%F %R} UTC" if token.last_used_at else "never used"
            typer.echo(f"{token.name}\t{','.join(token.scopes)}\t{state}\t{used}")


@token_app.command()
def revoke(name: Name, config: Config = None, state_dir: StateDir = None) -> None:
    """End a token's validity at once."""
    from db.models import ApiToken

    with _database(config, state_dir):
        ended = (
            ApiToken.update(revoked_at=datetime.now(UTC))
            .where(ApiToken.name == name, ApiToken.revoked_at.is_null())
            .execute()
        )
    if not ended:
        raise ConfigurationError(f"there is no valid token named {name!r}; see: orderd token list")
    typer.echo(f"revoked {name}")


@contextmanager
def _database(config: Path | None, state_dir: Path | None) -> Iterator[None]:
    from db.connection import check_schema, connect, database

    connect(database_url(load_settings(config=config, state_dir=state_dir)), max_connections=1)
    try:
        check_schema()
        with database.connection_context():
            yield
    finally:
        database.close_all()
