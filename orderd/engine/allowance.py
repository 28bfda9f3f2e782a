"""Allowances: limits on the tokens of orders, on the size of an order, and on all orders of a day.

Each API key has limits, and the daemon has limits for all keys together.

An order's notional is the value in USDC of what it sells, at the time of submission: the amount itself if it sells
USDC, otherwise the output of the best route to USDC for the whole amount, after all pools' fees and before slippage. A
day is the last 24 hours. Each order counts from its acceptance on with the notional that was stored with it; only those
that have ended without a fill do not count. An order that waits for the market counts while it is open, and for a day
after its last fill; a market order counts for a day from its acceptance, even if it has to wait longer for a service.
The daemon's limit counts a day in UTC by a counter (``db.spending``): each order counts on the day of its acceptance,
unless it ends without a fill. What an operator declared dead may have been filled, so it counts from that decision on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite
from typing import Final
from uuid import UUID

from db import journal
from db import spending as spending_of
from db.connection import database, transaction
from db.journal import Moved, NewOrder
from db.models import listed
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import format_amount
from orderd.domain.order import UNFILLED, OrderKind
from orderd.domain.terms import OrderTerms

NOTIONAL_TOKEN: Final = "USDC"
NOTIONAL_DECIMALS: Final = 6
DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class TradingLimits:
    """None without a limit. Notionals in base units of USDC. ``subject`` names the owner in refusals."""

    mints: frozenset[str] | None = None
    per_order: int | None = None
    per_day: int | None = None
    subject: str = "the API key"

    @property
    def count_money(self) -> bool:
        """Whether an order's notional must be known."""
        return self.per_order is not None or self.per_day is not None

    def check_pair(self, terms: OrderTerms) -> None:
        """Raises OrderdError LIMIT_TOKENS."""
        for token in (terms.token_in, terms.token_out):
            if self.mints is not None and token.mint not in self.mints:
                raise OrderdError(ErrorCode.LIMIT_TOKENS, f"{self.subject} may not trade {token.symbol}")

    def check_order(self, notional: int) -> None:
        """Raises OrderdError LIMIT_ORDER."""
        if self.per_order is not None and notional > self.per_order:
            detail = f"the order is worth {_usdc(notional)}, {self.subject} may submit {_usdc(self.per_order)} at most"
            raise OrderdError(ErrorCode.LIMIT_ORDER, detail)


UNLIMITED: Final = TradingLimits()


@dataclass(frozen=True, slots=True)
class Spending:
    """An order's notional, and the limits of its API key and of the daemon."""

    notional: int
    limits: TradingLimits
    of_daemon: TradingLimits = UNLIMITED


@transaction
def accept_within(
    order: NewOrder,
    spending: Spending,
    sender: str | None = None,
    check: Callable[[NewOrder], object] = lambda _: None,
) -> list[Moved]:
    """``journal.accept`` for one order, if it is within the limits; checked and written in one transaction.

    Submissions of one API key are serialised over all gateways. A repeated submission of an existing order is not
    checked. Raises OrderdError: LIMIT_ORDER, LIMIT_DAY, AUTH_INVALID for an API key that has ended, or what ``check``
    raises for the order.
    """
    key_id = order.by.key_id
    if key_id is not None:
        _lock(key_id)
    if journal.submitted_as(order.account_id, order.client_order_id) is not None:
        return []
    _check(key_id, spending)
    check(order)
    added = journal.accept([order], sender, unless_halted=True)
    if added:
        spending_of.note(order.id, key_id, spending.notional, _count(spending))
    return added


def replace_spending(order_id: UUID, key_id: UUID | None, spending: Spending) -> None:
    """Replace an order's notional, if the new one is within the limits. Needs a transaction.

    Raises the errors of ``accept_within``.
    """
    if key_id is not None:
        _lock(key_id)
    spending_of.forget(order_id)
    _check(key_id, spending)
    spending_of.note(order_id, key_id, spending.notional, _count(spending))


def _count(spending: Spending) -> date | None:
    """The day whose counter the order is in; None if the daemon has no limit per day.

    Raises OrderdError LIMIT_DAY. Called last, because the row of the counter is locked until the transaction ends.
    """
    limit = spending.of_daemon.per_day
    if limit is None:
        return None
    day = spending_of.count(spending.notional, limit)
    if day is None:
        detail = (
            f"the order is worth {_usdc(spending.notional)}; of the {_usdc(limit)} of all orders of a day in UTC, "
            f"{_usdc(spending_of.counted_today())} are used"
        )
        raise OrderdError(ErrorCode.LIMIT_DAY, detail)
    return day


def _lock(key_id: UUID) -> None:
    good = database.execute_sql(
        """
        SELECT FROM api_tokens
        WHERE id = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
        FOR NO KEY UPDATE""",
        (str(key_id),),
    )
    if good.fetchone() is None:
        raise OrderdError(ErrorCode.AUTH_INVALID, "the API key is expired or revoked")


def _check(key_id: UUID | None, spending: Spending) -> None:
    notional, limits = spending.notional, spending.limits
    spending.of_daemon.check_order(notional)
    limits.check_order(notional)
    if limits.per_day is None:
        return
    assert key_id is not None, "only API keys have limits of their own"
    if _submitted(key_id) + notional <= limits.per_day:
        return
    spent = _spent(key_id)
    used = sum(each for _, each in spent)
    if used + notional > limits.per_day:
        detail = (
            f"the order is worth {_usdc(notional)}; of the {_usdc(limits.per_day)} of any 24 hours, "
            f"{_usdc(used)} are used"
        )
        raise OrderdError(ErrorCode.LIMIT_DAY, detail, retry_after=_free_in(spent, limits.per_day - notional))


def _submitted(key_id: UUID) -> int:
    """The total notional of the last day, including orders that do not count, read from the index alone."""
    (notional,) = database.execute_sql(
        f"""
        SELECT COALESCE(sum(notional), 0) FROM (
            SELECT notional FROM notionals WHERE token_id = %s AND at > statement_timestamp() - %s
            UNION ALL SELECT n.notional FROM {_OPEN_FOR_LONG}) AS submitted""",  # noqa: S608
        (str(key_id), DAY, str(key_id), DAY),
    ).fetchone()
    return int(notional)


_OPEN_FOR_LONG: Final = f"""
    notionals n JOIN orders o ON o.id = n.order_id
    WHERE o.ended_as IS NULL AND o.kind <> '{OrderKind.MARKET}' AND o.token_id = %s
      AND n.at <= statement_timestamp() - %s"""
"""Orders of an API key that wait for the market, and were submitted or filled before the day began."""


def _spent(key_id: UUID) -> list[tuple[float, int]]:
    """For each order that counts: the seconds until it no longer counts, and its notional; open orders come last."""
    rows = database.execute_sql(
        f"""
        SELECT CASE WHEN o.ended_as IS NOT NULL OR o.kind = '{OrderKind.MARKET}'
                    THEN extract(epoch FROM n.at + %s - statement_timestamp()) ELSE 'infinity' END AS seconds,
               n.notional
        FROM notionals n JOIN orders o ON o.id = n.order_id
        WHERE n.token_id = %s AND n.at > statement_timestamp() - %s
          AND (o.status NOT IN ({listed(UNFILLED)}) OR may_have_traded(o))
        UNION ALL SELECT 'infinity', n.notional FROM {_OPEN_FOR_LONG}
        ORDER BY seconds""",  # noqa: S608
        (DAY, str(key_id), DAY, str(key_id), DAY),
    )
    return [(float(seconds), int(notional)) for seconds, notional in rows]


def _free_in(spent: list[tuple[float, int]], most: int) -> int | None:
    """Seconds until the counted total is at most ``most``, rounded up; None if it never is."""
    if most < 0:
        return None
    left = sum(notional for _, notional in spent)
    for seconds, notional in spent:
        left -= notional
        if left <= most:
            return max(int(seconds) + 1, 1) if isfinite(seconds) else None
    return None


def _usdc(notional: int) -> str:
    return f"{format_amount(notional, NOTIONAL_DECIMALS)} {NOTIONAL_TOKEN}"
