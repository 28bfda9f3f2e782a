"""``orderd audit``: shows the audit log."""

import json
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from orderd.commands.database import database_of
from orderd.commands.options import ArgumentError, Config, DaemonsStateDir, time_of
from orderd.domain.errors import ErrorCode

if TYPE_CHECKING:
    from db.models import AuditRow
    from db.refused_requests import RefusalCount


def audit(
    since: Annotated[str | None, typer.Option(help="Start time: 30m, 24h, 7d (ago), or 2026-01-31T12:00Z")] = None,
    until: Annotated[str | None, typer.Option(help="End time, in the same format")] = None,
    api_key: Annotated[
        str | None, typer.Option("--api-key", "--token", metavar="NAME", help="The name of an API key")
    ] = None,
    action: Annotated[str | None, typer.Option(help="order.submit, order.cancel, token.create, connect, ...")] = None,
    outcome: Annotated[str | None, typer.Option(help="ok, or an error code, such as LIMIT_DAY")] = None,
    order: Annotated[str | None, typer.Option(help="The full id of an order")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only refused requests")] = False,
    strangers: Annotated[
        bool | None,
        typer.Option("--strangers/--no-strangers", help="Only, or no, requests without a valid API key"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of lines; the newest are shown")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line")] = False,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Show the audit log: submitted and cancelled orders, created and revoked API keys, and refused requests.

    Refusals appear within a second. Equal refusals within one second form one line with their number. Refusals without
    a valid API key are counted per hour and kept for 30 days; an hour that is partly between --since and --until is
    shown in full. A line must match all given options.

    \b
    orderd audit --since 24h --refused
    orderd audit --api-key desk --outcome LIMIT_DAY --limit 200
    orderd audit --since 2026-01-31T12:00Z --until 2026-01-31T13:00Z --json
    orderd audit --strangers --since 7d
    """
    from db import audit, refused_requests
    from db.audit import Filter

    which = Filter(
        time_of("since", since), time_of("until", until), api_key, action, _outcome(outcome), _id(order), refused
    )
    if which.since is not None and which.until is not None and which.since >= which.until:
        raise ArgumentError(f"--since {since} is not before --until {until}")
    if strangers and not (api_key is None and order is None):
        raise ArgumentError("--strangers cannot be combined with --api-key or --order")
    with_strangers = api_key is None and order is None if strangers is None else strangers
    with database_of(config, state_dir):
        rows = [] if strangers else [_of_audit(row) for row in audit.read(which, limit)]
        if with_strangers:
            found = refused_requests.read(limit, since=which.since, until=which.until, action=action, outcome=outcome)
            rows += [_of_stranger(counted) for counted in found]
        for row in sorted(rows, key=lambda row: row.at)[-limit:]:
            typer.echo(json.dumps(_facts(row)) if as_json else _line(row))


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the output."""

    at: datetime
    actor: str
    address: str
    action: str
    outcome: str
    times: int
    order_id: UUID | None = None
    detail: str = ""


def _of_audit(row: "AuditRow") -> _Row:
    return _Row(row.at, row.actor, row.address, row.action, row.outcome, row.times, row.order_id, row.detail)


def _of_stranger(counted: "RefusalCount") -> _Row:
    refusal = counted.refusal
    return _Row(counted.last_at, "", refusal.address, refusal.action, refusal.outcome, counted.times)


def _outcome(text: str | None) -> str | None:
    """Check a code: an unknown code would find nothing, and look as if nothing had happened."""
    from db.audit import OK

    known = (OK, *ErrorCode)
    if text is None or text in known:
        return text
    near = get_close_matches(text.upper(), known, n=1)
    raise ArgumentError(f"--outcome {text}: " + (f"did you mean {near[0]}?" if near else "it is not an error code"))


def _id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise ArgumentError(f"--order {text}: it is not a full order id; see: orderctl show") from error


def _facts(row: _Row) -> dict[str, Any]:
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


def _line(row: _Row) -> str:
    times = f" x{row.times}" if row.times > 1 else ""
    what = " ".join(part for part in (str(row.order_id or ""), row.detail) if part)
    return f"{row.at:%F %T}\t{row.actor or '-'}\t{row.address or '-'}\t{row.action}\t{row.outcome}{times}\t{what}"
