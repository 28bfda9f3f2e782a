"""Totals of orders and fills, for the titles of tables."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from orderctl.display.cells import state
from orderctl.tui.families import Lines
from orderd.wire.fills import HistoryResult, HistoryTotals
from orderd.wire.orders import OrderView

_TOKENS: Final = 3
"""Maximum number of tokens shown; others are counted."""


def sold_by(orders: Iterable[OrderView]) -> str:
    """The unfilled amounts of orders by token; child orders are not counted in addition to their parents."""
    totals: dict[str, Decimal] = {}
    for order in orders:
        if order.amount_in is not None and order.parent_id is None:
            left = Decimal(order.amount_in) - Decimal(order.filled_amount_in or 0)
            totals[order.token_in] = totals.get(order.token_in, Decimal(0)) + left
    parts = [f"{_plain(amount)} {token}" for token, amount in sorted(totals.items())[:_TOKENS]]
    return ", ".join(parts) + (f" and {len(totals) - _TOKENS} more" if len(totals) > _TOKENS else "")


def outcomes(orders: Iterable[OrderView]) -> str:
    counts = Counter(state(order)[0] for order in orders)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def traded(totals: HistoryTotals) -> str:
    parts = [
        f"{pair.amount_in} {pair.token_in} → {pair.amount_out} {pair.token_out}" for pair in totals.pairs[:_TOKENS]
    ]
    more = f" and {len(totals.pairs) - _TOKENS} more" if len(totals.pairs) > _TOKENS else ""
    return f"{', '.join(parts)}{more}; fees {totals.network_fee} SOL"


def _plain(amount: Decimal) -> str:
    """Format an amount without trailing zeros and exponents."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_of(lines: Lines, *, is_cut: bool) -> str:
    return f"{lines.found} of {lines.known}" if is_cut else f"{lines.known}"


def titled(title: str, sums: str) -> str:
    return f"{title}  ·  {sums}" if sums else title


def fills_title(history: HistoryResult | None, shown: int, *, is_cut: bool) -> str:
    if history is None or history.totals is None:
        return "Fills"
    count = f"{shown} of the newest {len(history.fills)}" if is_cut else f"{history.totals.fills}"
    return titled(f"Fills {count}", traded(history.totals))
