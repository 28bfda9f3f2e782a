"""``orderd audit``: who did what, and who was refused."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from orderd.commands.database import database_of
from orderd.commands.options import Config, DaemonsStateDir
from orderd.config.loading import ConfigurationError

if TYPE_CHECKING:
    from db.models import AuditRow

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def audit(
    since: Annotated[str | None, typer.Option(help="Such as 30m, 24h, 7d, or 2026-01-31T12:00Z")] = None,
    token: Annotated[str | None, typer.Option(help="The name of a token")] = None,
    action: Annotated[str | None, typer.Option(help="order.submit, order.cancel, token.create, connect, ...")] = None,
    order: Annotated[str | None, typer.Option(help="An order's whole id")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each")] = False,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Show who submitted and cancelled what, who made and revoked tokens, and what was refused to whom.

    Refusals follow within a second; equal ones of one second are one line, with their number.
    """
    from db.audit import Filter, read

    which = Filter(_time(since), token, action, _id(order), refused)
    with database_of(config, state_dir):
        for row in read(which, limit):
            typer.echo(json.dumps(_facts(row)) if as_json else _line(row))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"--since {text}: write it like 30m, 24h, 7d or 2026-01-31T12:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise ConfigurationError(f"--order {text}: it is no order's id; see the whole one in: orderctl show") from error


def _facts(row: "AuditRow") -> dict[str, Any]:
    return {
        "at": row.at.isoformat(),
        "token": row.actor,
        "address": row.address,
        "action": row.action,
        "outcome": row.outcome,
        "order": None if row.order_id is None else str(row.order_id),
        "detail": row.detail,
        "times": row.times,
    }


def _line(row: "AuditRow") -> str:
    times = f" x{row.times}" if row.times > 1 else ""
    what = " ".join(part for part in (str(row.order_id or ""), row.detail) if part)
    return f"{row.at:%F %T}\t{row.actor or '-'}\t{row.address or '-'}\t{row.action}\t{row.outcome}{times}\t{what}"
