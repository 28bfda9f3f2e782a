"""The fills of an account, or of all, as traders see them."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from db import history
from db.accounts import name_of
from db.history import Wanted
from db.models import Fill, Order
from orderd.domain.money import LAMPORT_DECIMALS, format_amount, format_price
from orderd.domain.slippage import against_mid, against_quote
from orderd.domain.times import parse_moment
from orderd.engine.views import fill_view
from orderd.wire.fills import HistoryFill, HistoryParams, HistoryResult, HistoryTotals, PairTotal

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def read_history(account_id: UUID | None, params: HistoryParams) -> HistoryResult:
    """One page of fills; the first page includes the sums over all. Needs a connection.

    Raises OrderdError TIME_INVALID.
    """
    wanted = Wanted(
        account_id=account_id,
        token=params.token,
        kinds=params.kind,
        since=None if params.since is None else parse_moment(params.since),
        until=None if params.until is None else parse_moment(params.until),
        before=None if params.cursor is None else _place(params.cursor),
    )
    found = history.page(wanted, params.limit + 1)
    page = found[: params.limit]
    return HistoryResult(
        fills=tuple(_history_fill(*each) for each in page),
        totals=_totals(wanted) if params.cursor is None else None,
        next_cursor=_cursor(page[-1][0]) if len(found) > params.limit else None,
    )


def _history_fill(fill: Fill, order: Order) -> HistoryFill:
    return HistoryFill(
        **dict(fill_view(fill, order)),
        client_order_id=order.client_order_id,
        account=name_of(order.account_id),
        kind=order.kind,
        parent_id=order.parent_id,
        token_in=order.token_in,
        token_out=order.token_out,
        venue=order.venue,
        quote_slippage_bps=_quote_slippage(fill, order),
        mid_slippage_bps=None
        if fill.mid is None
        else f"{against_mid(fill.amount_in, order.decimals_in, fill.amount_out, order.decimals_out, fill.mid):f}",
    )


def _quote_slippage(fill: Fill, order: Order) -> str | None:
    quoted_in = order.amount_in if order.quoted_amount_in is None else order.quoted_amount_in
    if quoted_in is None or order.quoted_amount_out is None:
        return None
    return f"{against_quote(fill.amount_in, fill.amount_out, quoted_in, order.quoted_amount_out):f}"


def _totals(wanted: Wanted) -> HistoryTotals:
    pairs = list(history.totals(wanted))
    return HistoryTotals(
        fills=sum(each.fills for each in pairs),
        network_fee=format_amount(sum(each.network_fee for each in pairs), LAMPORT_DECIMALS),
        rent=format_amount(sum(each.rent for each in pairs), LAMPORT_DECIMALS),
        pairs=tuple(
            PairTotal(
                token_in=each.token_in,
                token_out=each.token_out,
                fills=each.fills,
                amount_in=format_amount(each.amount_in, each.decimals_in),
                amount_out=format_amount(each.amount_out, each.decimals_out),
                price=format_price(each.amount_in, each.decimals_in, each.amount_out, each.decimals_out),
            )
            for each in pairs
        ),
    )


def _cursor(fill: Fill) -> str:
    return f"{(fill.at - _EPOCH) // _MICROSECOND}.{fill.order_id}"


def _place(cursor: str) -> tuple[datetime, UUID]:
    """``cursor`` has the shape of one; Postgres and Python keep microseconds, so it names its fill exactly."""
    microseconds, _, order_id = cursor.partition(".")
    return _EPOCH + int(microseconds) * _MICROSECOND, UUID(order_id)
