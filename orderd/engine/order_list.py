"""Lists of orders in pages. The cost of a page does not depend on the number of stored orders."""

from typing import Any
from uuid import UUID

from db.connection import database
from db.models import Order, in_states, listed
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import ACTIVE, TERMINAL, OrderStatus
from orderd.engine.views import order_view
from orderd.wire.orders import ListParams, ListResult


def list_orders(account_id: UUID | None, params: ListParams) -> ListResult:
    """One page of an account's orders, or of all accounts', newest first.

    Raises OrderdError REQUEST_INVALID for an invalid cursor.
    """
    wanted, parameters = ["account_id = accounts.id"], list[Any]()
    if params.cursor is not None:
        wanted.append("id < %s")
        parameters.append(str(_cursor(params.cursor)))
    if params.kind:
        wanted.append("kind = ANY(%s)")
        parameters.append(list(params.kind))
    arms = [
        (
            f"(SELECT id FROM orders WHERE {' AND '.join([*wanted, way])} ORDER BY id DESC LIMIT %s)",
            [*parameters, *given],
        )
        for way, given in _ways(account_id, params)
    ]
    newest = " UNION ALL ".join(arm for arm, _ in arms)
    given = [value for _, of_arm in arms for value in (*of_arm, params.limit + 1)]
    owned, parameters = _of_account(account_id)
    sql = f"""
        SELECT * FROM orders WHERE id = ANY(ARRAY(
            SELECT DISTINCT id FROM (SELECT newest.id FROM accounts, LATERAL ({newest}) AS newest WHERE {owned}) AS each
            ORDER BY id DESC LIMIT %s)) ORDER BY id DESC"""
    rows = list(Order.raw(sql, *given, *parameters, params.limit + 1).execute(database))
    page = rows[: params.limit]
    return ListResult(
        orders=tuple(order_view(order) for order in page),
        next_cursor=str(page[-1].id) if len(rows) > params.limit else None,
    )


_Way = tuple[str, list[str]]
"""A condition with its values."""


def _of_account(account_id: UUID | None) -> _Way:
    """The condition for the accounts, which are read one after another: all indexes of ``orders`` begin with the
    account."""
    return ("true", []) if account_id is None else ("accounts.id = %s", [str(account_id)])


def _ways(account_id: UUID | None, params: ListParams) -> list[_Way]:
    """Conditions for the filtered orders; for each of them an index returns the newest orders first.

    An order may meet several. Those that have not ended are few.
    """
    statuses = frozenset(params.status or OrderStatus)
    active = f"ended_as IS NULL AND status IN ({listed(statuses & ACTIVE)})" if statuses & ACTIVE else "false"
    if (token := params.token) is None:
        return [(active, []), *((in_states({status}), []) for status in sorted(statuses & TERMINAL))]
    is_it = "(upper(token_in) = upper(%s) OR upper(token_out) = upper(%s) OR mint_in = %s OR mint_out = %s)"
    ways = [(f"{active} AND {is_it}", [token] * 4)]
    if statuses & TERMINAL:
        for side in "in", "out":
            way = f"{in_states(statuses & TERMINAL)} AND mint_{side} = %s AND token_{side} = %s"
            ways += [
                (way, [mint, symbol])
                for mint, symbol in _traded(account_id, side)
                if mint == token or symbol.upper() == token.upper()
            ]
    return ways


def _traded(account_id: UUID | None, side: str) -> list[tuple[str, str]]:
    """The mints and symbols of the tokens that an account, or all accounts, have sold (``in``) or bought (``out``).

    It goes from one token to the next through the index: it reads one order per token.
    """
    pair = f"mint_{side}, token_{side}"
    ended = "FROM orders WHERE account_id = accounts.id AND ended_as IS NOT NULL"
    owned, parameters = _of_account(account_id)
    rows = database.execute_sql(
        f"""
        SELECT DISTINCT mint, symbol FROM accounts, LATERAL (
            WITH RECURSIVE traded (mint, symbol) AS (
                (SELECT {pair} {ended} ORDER BY {pair} LIMIT 1)
                UNION ALL
                SELECT next.* FROM traded, LATERAL (
                    SELECT {pair} {ended} AND ({pair}) > (mint, symbol) ORDER BY {pair} LIMIT 1) AS next)
            SELECT mint, symbol FROM traded) AS of_one
        WHERE {owned}""",
        parameters,
    )
    return [(mint, symbol) for mint, symbol in rows]


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise OrderdError(ErrorCode.REQUEST_INVALID, "cursor: not issued by this daemon") from None
