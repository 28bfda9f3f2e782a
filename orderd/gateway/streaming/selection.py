"""Which orders a subscription is about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from uuid import UUID

from db import accounts
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine import views
from orderd.gateway.access.authentication import Principal, Scope
from orderd.wire.subscriptions import Followed, SubscribeParams

Group = tuple[UUID | None, str | None, str | None, str | None]
"""Orders of one account, of one token sold, one bought and one kind where these are given."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The named orders, or all active ones, optionally of an account, a pair (symbols) and a kind.

    ``orders`` has for each order the seq after which its events are to be sent again, or None. ``from_beginning`` asks
    for all events of all active orders.
    """

    account_id: UUID | None
    orders: Mapping[UUID, int | None] = field(default_factory=dict)
    token_in: str | None = None
    token_out: str | None = None
    kind: str | None = None
    from_beginning: bool = False

    @property
    def group(self) -> Group | None:
        """None where orders are named."""
        return None if self.orders else (self.account_id, self.token_in, self.token_out, self.kind)


@lru_cache(maxsize=4_096)
def groups_of(account_id: UUID, token_in: str, token_out: str, kind: str) -> tuple[Group, ...]:
    """The groups to which an order belongs; the same object for equal groups, because thousands of orders are
    remembered."""
    return tuple(product((None, account_id), (None, token_in), (None, token_out), (None, kind)))


def visible_to(principal: Principal, name: str | None = None) -> UUID | None:
    """The account whose orders are shown for a request for ``name``, or without a name; None for all accounts.

    Needs a database connection if there is a name. Raises OrderdError: REQUEST_INVALID for an unknown account,
    AUTH_FORBIDDEN for another's.
    """
    if name is None:
        return None if principal.sees_all else principal.account_id
    account_id = accounts.called(name)
    if account_id != principal.account_id:
        principal.require(Scope.ADMIN)  # other clients may not learn whether there is such an account
    if account_id is None:
        raise _invalid(f"account: there is none with the name or id {name}")
    return account_id


def select(principal: Principal, params: SubscribeParams, symbol_of: Callable[[str], str]) -> Selection:
    """The selection that ``params`` request. Needs a database connection.

    Raises OrderdError: REQUEST_INVALID for parameters that exclude each other, and the errors of ``visible_to``,
    ``views.find`` and ``symbol_of``, which knows the tokens.
    """
    named = _named(params)
    if named and (params.token_in, params.token_out, params.kind) != (None, None, None):
        raise _invalid("token_in, token_out, kind: can only be given where no order is named")
    account_id = visible_to(principal, params.account)
    return Selection(
        account_id,
        _found(account_id or principal.account_id, named, sees_all=account_id is None),
        _symbol(symbol_of, params.token_in),
        _symbol(symbol_of, params.token_out),
        params.kind,
    )


def _named(params: SubscribeParams) -> tuple[Followed, ...]:
    if params.order is None:
        if params.after is not None:
            raise _invalid("after: can only be given together with order")
        return params.orders
    if params.orders:
        raise _invalid("orders: cannot be given together with order")
    return (Followed(order=params.order, after=params.after),)


def _found(account_id: UUID, named: Iterable[Followed], *, sees_all: bool) -> dict[UUID, int | None]:
    found: dict[UUID, int | None] = {}
    for each in named:
        order_id = views.find(account_id, each.order, sees_all=sees_all).id
        if order_id in found:
            raise _invalid(f"orders: order {order_id} is named twice")
        found[order_id] = each.after
    return found


def _symbol(symbol_of: Callable[[str], str], name: str | None) -> str | None:
    return None if name is None else symbol_of(name)


def _invalid(detail: str) -> OrderdError:
    return OrderdError(ErrorCode.REQUEST_INVALID, detail)
