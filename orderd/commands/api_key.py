"""``orderd api-key``: which keys may use the port, and for what."""

from datetime import UTC, datetime, timedelta
from getpass import getuser
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from orderd.command_line import CommandLine
from orderd.commands.database import database_of
from orderd.commands.options import Config, DaemonsStateDir
from orderd.config.loading import ConfigurationError

if TYPE_CHECKING:
    from db.models import ApiKey
    from orderd.config.settings import Settings
    from orderd.domain.tokens import TokenRegistry

api_key_app = CommandLine(help="Make, list and revoke the API keys that clients need.", no_args_is_help=True)


def renamed() -> None:
    """Keep the earlier spelling working for one more release."""
    typer.echo("orderd token is called orderd api-key now; the old name will be removed in the next release", err=True)


Name = Annotated[str, typer.Argument(help="Whose key it is, to know it by")]


@api_key_app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, trade or admin; each includes the ones before")] = "trade",
    days: Annotated[int, typer.Option(min=1, help="How long it is valid")] = 90,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT", help="Whose orders it sees and submits [default: as before under NAME, else a new one]"
        ),
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(help="Tokens that it may trade, such as SOL,USDC: both sides of an order [default: any]"),
    ] = None,
    max_notional_per_order: Annotated[
        str | None, typer.Option(metavar="USDC", help="Maximum value of an order [default: no limit]")
    ] = None,
    max_notional_per_day: Annotated[
        str | None, typer.Option(metavar="USDC", help="Maximum value of all orders of any 24 hours")
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help="How many requests it may make, at each gateway [default: any number]")
    ] = None,
    burst: Annotated[
        int | None, typer.Option(min=1, help="Requests that may come at once [default: those of ten seconds]")
    ] = None,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Make an API key and print it, this once: only its hash is kept.

    It is for one account, which outlives it: the next key of this name is for the same one. With the scope admin it
    sees, cancels and resolves the orders of all accounts.

    An order is worth what it sells, in USDC, at the prices of the moment in which it is submitted.
    """
    from peewee import IntegrityError
    from uuid_utils.compat import uuid7

    from db.connection import database
    from db.models import ApiKey
    from orderd.gateway.access.authentication import Scope, api_key_hash, new_api_key

    if scope not in list(Scope):
        raise ConfigurationError(f"--scope {scope}: there are {', '.join(Scope)}")
    if burst is not None and requests_per_minute is None:
        raise ConfigurationError("--burst needs --requests-per-minute")
    key, key_id = new_api_key(), uuid7()
    now = datetime.now(UTC)
    row = {
        "id": key_id,
        "name": name,
        "hash": api_key_hash(key),
        "scopes": [scope],
        "created_at": now,
        "expires_at": now + timedelta(days=days),
        "max_notional_per_order": _notional("--max-notional-per-order", max_notional_per_order),
        "max_notional_per_day": _notional("--max-notional-per-day", max_notional_per_day),
        "requests_per_minute": requests_per_minute,
        "burst": requests_per_minute and (burst or max(1, requests_per_minute // 6)),
    }
    with database_of(config, state_dir) as settings:
        registry = _registry(settings)
        row["allowed_mints"] = _mints(tokens, registry)
        try:
            with database.atomic():
                row["account_id"], its_name, is_new = _account(name, account)
                ApiKey.insert(**row).execute()
                _record("token.create", key_id, f"{name}: account {its_name}; {_limits(ApiKey(**row), registry)}")
        except IntegrityError as error:
            raise ConfigurationError(
                f"an API key named {name!r} is valid already; revoke it with: orderd api-key revoke {name}"
            ) from error
    where = f", in {settings.state_dir}" if settings.database_url is None else ""
    typer.echo(f"{name} is for the {'new ' if is_new else ''}account {its_name}{where}", err=True)
    typer.echo(key)


@api_key_app.command("list")
def list_(config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """Show all API keys, those that ended too, when each was last used, and what it may do."""
    from db.accounts import name_of
    from db.models import ApiKey

    with database_of(config, state_dir) as settings:
        registry = _registry(settings)
        for key in ApiKey.select().order_by(ApiKey.created_at):
            owner = f"{key.name}\t{','.join(key.scopes)}\t{_state(key)}\taccount {name_of(key.account_id)}"
            typer.echo(f"{owner}\t{_use(key)}\t{_limits(key, registry)}")


@api_key_app.command()
def revoke(name: Name, config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """End an API key's validity at once, with the connections that it has open."""
    from db.connection import database
    from db.models import ApiKey

    is_live = (ApiKey.name == name) & ApiKey.revoked_at.is_null()
    with database_of(config, state_dir), database.atomic():
        key = ApiKey.get_or_none(is_live)
        if key is None:
            raise ConfigurationError(f"there is no valid API key named {name!r}; see: orderd api-key list")
        ApiKey.update(revoked_at=datetime.now(UTC)).where(ApiKey.id == key.id).execute()
        _record("token.revoke", key.id, name)
    typer.echo(f"revoked {name}")


def _account(key: str, wanted: str | None) -> tuple[UUID, str, bool]:
    """The account of a new key of this name: its id, its name, and whether it is a new one.

    Within a transaction in which no other process makes an account. Raises ConfigurationError.
    """
    from db import accounts
    from orderd.domain.accounts import checked_name
    from orderd.domain.errors import OrderdError

    accounts.take_turns()
    if wanted is None and (before := accounts.of_key(key)) is not None:
        return before, accounts.name_of(before), False
    name = key if wanted is None else wanted
    known = accounts.called(name)
    if known is None:
        try:
            return accounts.add(checked_name(name)), name, True
        except OrderdError as error:
            raise ConfigurationError(f"--account: {error.detail}") from error
    if wanted is None:
        raise ConfigurationError(
            f"there is an account {name!r}, which no API key of this name has been for; say --account {name} to use it,"
            " or name another one"
        )
    return known, accounts.name_of(known), False


def _record(action: str, key_id: Any, detail: str) -> None:  # noqa: ANN401  (a UUID, which is imported late)
    from db import audit
    from db.audit import Actor, Entry

    audit.record([Entry(Actor(f"console: {getuser()}", key_id=key_id), action, detail=detail)])


def _registry(settings: "Settings") -> "TokenRegistry":
    """What symbols mean to the daemon, but for those of a token list. Needs a connection."""
    from db import tokens
    from orderd.domain.well_known import registry_of

    registry = registry_of(settings.chain)
    registry.set_named(tokens.names())
    return registry


def _mints(names: str | None, registry: "TokenRegistry") -> list[str] | None:
    """The mints of symbols or mints with commas between. Raises ConfigurationError."""
    from orderd.domain.errors import OrderdError

    if names is None:
        return None
    try:
        mints = sorted({registry.mint_of(name.strip()) for name in names.split(",")})
    except OrderdError as error:
        raise ConfigurationError(f"--tokens {names}: {error.detail}") from error
    if len(mints) < 2:
        raise ConfigurationError(f"--tokens {names}: a trade needs two tokens; name both sides")
    return mints


def _notional(option: str, amount: str | None) -> int | None:
    """Base units of USDC. Raises ConfigurationError."""
    from orderd.domain.errors import OrderdError
    from orderd.domain.money import parse_amount
    from orderd.engine.allowance import NOTIONAL_DECIMALS

    try:
        return None if amount is None else parse_amount(amount, NOTIONAL_DECIMALS)
    except OrderdError as error:
        raise ConfigurationError(f"{option} {amount}: {error.detail}") from error


def _state(key: "ApiKey") -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%F}"
    if key.expires_at and key.expires_at <= datetime.now(UTC):
        return f"expired {key.expires_at:%F}"
    return f"valid until {key.expires_at:%F}"


def _use(key: "ApiKey") -> str:
    return f"last used {key.last_used_at:%F %R} UTC" if key.last_used_at else "never used"


def _limits(key: "ApiKey", registry: "TokenRegistry") -> str:
    from orderd.domain.money import format_amount
    from orderd.engine.allowance import NOTIONAL_DECIMALS, NOTIONAL_TOKEN

    def usdc(notional: int) -> str:
        return f"{format_amount(notional, NOTIONAL_DECIMALS)} {NOTIONAL_TOKEN}"

    limits = []
    if key.allowed_mints is not None:
        limits.append("trades " + ",".join(sorted(map(registry.symbol_of, key.allowed_mints))))
    if key.max_notional_per_order is not None:
        limits.append(f"{usdc(key.max_notional_per_order)} an order")
    if key.max_notional_per_day is not None:
        limits.append(f"{usdc(key.max_notional_per_day)} a day")
    if key.requests_per_minute is not None:
        limits.append(f"{key.requests_per_minute} requests a minute, {key.burst} at once")
    return "; ".join(limits) or "no limits"
