"""``orderd api-key``: creates, lists and revokes API keys."""

from datetime import UTC, datetime, timedelta
from getpass import getuser
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from orderd.command_line import CommandLine
from orderd.commands.database import database_of
from orderd.commands.options import ArgumentError, Config, DaemonsStateDir

if TYPE_CHECKING:
    from db.models import ApiKey
    from orderd.config.settings import Settings
    from orderd.domain.tokens import TokenRegistry

api_key_app = CommandLine(help="Create, list and revoke API keys for clients.", no_args_is_help=True)


def renamed() -> None:
    """Warn about the old name of the command, which works for one more release."""
    typer.echo(
        "orderd token has been renamed to orderd api-key; the old name will be removed in the next release", err=True
    )


Name = Annotated[str, typer.Argument(help="A name for the key, such as its owner")]


@api_key_app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, trade or admin; each includes the previous ones")] = "trade",
    days: Annotated[int, typer.Option(min=1, help="Validity in days")] = 90,
    account: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            help="The account whose orders it sees and submits [default: that of the last key NAME, or else a new one]",
        ),
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(help="Tokens that it may trade, on both sides of an order, such as SOL,USDC [default: any]"),
    ] = None,
    max_notional_per_order: Annotated[
        str | None, typer.Option(metavar="USDC", help="Maximum value of an order [default: no limit]")
    ] = None,
    max_notional_per_day: Annotated[
        str | None, typer.Option(metavar="USDC", help="Maximum value of all orders within 24 hours [default: no limit]")
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Maximum requests per minute at each gateway [default: no limit]")
    ] = None,
    burst: Annotated[
        int | None, typer.Option(min=1, help="Requests allowed at once [default: a sixth of --requests-per-minute]")
    ] = None,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Create an API key and print it. It cannot be shown again, because only its hash is stored.

    A key belongs to one account. The account outlives the key: the next key of the same name belongs to the same
    account. With the scope admin, a key can see, cancel and resolve the orders of all accounts.

    The value of an order is the amount that it sells, in USDC, at the prices at the time of its submission.
    """
    from peewee import IntegrityError
    from uuid_utils.compat import uuid7

    from db.connection import database
    from db.models import ApiKey
    from orderd.gateway.access.authentication import Scope, api_key_hash, new_api_key

    if scope not in list(Scope):
        raise ArgumentError(f"--scope {scope}: use one of {', '.join(Scope)}")
    if burst is not None and requests_per_minute is None:
        raise ArgumentError("--burst needs --requests-per-minute")
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
            raise ArgumentError(
                f"there is already a valid API key named {name!r}; revoke it with: orderd api-key revoke {name}"
            ) from error
    where = f", in {settings.state_dir}" if settings.database_url is None else ""
    typer.echo(f"{name} belongs to the {'new ' if is_new else ''}account {its_name}{where}", err=True)
    typer.echo(key)


@api_key_app.command("list")
def list_(config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """List all API keys, including expired and revoked ones, with their last use and their limits."""
    from db.accounts import name_of
    from db.models import ApiKey

    with database_of(config, state_dir) as settings:
        registry = _registry(settings)
        for key in ApiKey.select().order_by(ApiKey.created_at):
            owner = f"{key.name}\t{','.join(key.scopes)}\t{_state(key)}\taccount {name_of(key.account_id)}"
            typer.echo(f"{owner}\t{_use(key)}\t{_limits(key, registry)}")


@api_key_app.command()
def revoke(name: Name, config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """Revoke an API key at once, and close its connections."""
    from db.connection import database
    from db.models import ApiKey

    is_live = (ApiKey.name == name) & ApiKey.revoked_at.is_null()
    with database_of(config, state_dir), database.atomic():
        key = ApiKey.get_or_none(is_live)
        if key is None:
            raise ArgumentError(f"there is no valid API key named {name!r}; see: orderd api-key list")
        ApiKey.update(revoked_at=datetime.now(UTC)).where(ApiKey.id == key.id).execute()
        _record("token.revoke", key.id, name)
    typer.echo(f"revoked {name}")


def _account(key: str, wanted: str | None) -> tuple[UUID, str, bool]:
    """The id and name of the account for a new key, and whether the account is new.

    Needs a transaction; until its end, no other process can create an account. Raises ArgumentError.
    """
    from db import accounts
    from orderd.domain.accounts import checked_name
    from orderd.domain.errors import OrderdError

    accounts.lock()
    if wanted is None and (before := accounts.of_key(key)) is not None:
        return before, accounts.name_of(before), False
    name = key if wanted is None else wanted
    known = accounts.called(name)
    if known is None:
        try:
            return accounts.add(checked_name(name)), name, True
        except OrderdError as error:
            raise ArgumentError(f"--account: {error.detail}") from error
    if wanted is None:
        raise ArgumentError(
            f"there is an account {name!r}, but no earlier API key of this name belonged to it; to use it, add "
            f"--account {name}, or choose another account"
        )
    return known, accounts.name_of(known), False


def _record(action: str, key_id: Any, detail: str) -> None:  # noqa: ANN401  (a UUID, which is imported late)
    from db import audit
    from db.audit import Actor, Entry

    audit.record([Entry(Actor(f"console: {getuser()}", key_id=key_id), action, detail=detail)])


def _registry(settings: "Settings") -> "TokenRegistry":
    """The tokens that the daemon knows, without those of a token list. Needs a database connection."""
    from db import tokens
    from orderd.domain.well_known import registry_of

    registry = registry_of(settings.chain)
    registry.set_named(tokens.names())
    return registry


def _mints(names: str | None, registry: "TokenRegistry") -> list[str] | None:
    """The mints of comma-separated symbols or mint addresses. Raises ArgumentError."""
    from orderd.domain.errors import OrderdError

    if names is None:
        return None
    try:
        mints = sorted({registry.mint_of(name.strip()) for name in names.split(",")})
    except OrderdError as error:
        raise ArgumentError(f"--tokens {names}: {error.detail}") from error
    if len(mints) < 2:
        raise ArgumentError(f"--tokens {names}: a trade needs two tokens; name both sides")
    return mints


def _notional(option: str, amount: str | None) -> int | None:
    """Parse an amount of USDC into base units. Raises ArgumentError."""
    from orderd.domain.errors import OrderdError
    from orderd.domain.money import parse_amount
    from orderd.engine.allowance import NOTIONAL_DECIMALS

    try:
        return None if amount is None else parse_amount(amount, NOTIONAL_DECIMALS)
    except OrderdError as error:
        raise ArgumentError(f"{option} {amount}: {error.detail}") from error


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
        limits.append(f"{usdc(key.max_notional_per_order)} per order")
    if key.max_notional_per_day is not None:
        limits.append(f"{usdc(key.max_notional_per_day)} per day")
    if key.requests_per_minute is not None:
        limits.append(f"{key.requests_per_minute} requests per minute, {key.burst} at once")
    return "; ".join(limits) or "no limits"
