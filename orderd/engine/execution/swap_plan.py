"""A trade as it is drafted, simulated and signed: a route with its limit."""

import secrets
from dataclasses import dataclass
from functools import cached_property

from orderd.domain.quote import Route
from orderd.domain.tokens import WSOL_MINT, Token


@dataclass(frozen=True)
class SwapPlan:
    """The trade to sign: a route that pays at least ``limit`` base units or, for an exact output, costs at most
    ``limit``.

    If wrapped SOL needs a separate account, its address is made from ``wrap_seed``. Anyone who sends lamports to the
    address prevents the creation of the account, so it must not be known before the trade is sent. If ``use_wrapped``
    is true nothing is wrapped, and the trade sells the wallet's own wrapped SOL. ``sold`` is the token that is sold,
    for texts with amounts.
    """

    route: Route
    limit: int
    use_wrapped: bool = False
    sold: Token | None = None

    @cached_property
    def wrap_seed(self) -> str:
        return secrets.token_urlsafe(6)

    @property
    def min_amount_out(self) -> int:
        """The minimum output in base units."""
        return self.route.amount_out if self.route.exact_out else self.limit

    @property
    def max_amount_in(self) -> int:
        """The maximum input in base units."""
        return self.limit if self.route.exact_out else self.route.amount_in


def touches_sol(route: Route) -> bool:
    """Whether SOL or wrapped SOL is sold, bought, or passed between two hops."""
    return any(WSOL_MINT in (hop.legs[0].mint_in, hop.mint_out) for hop in route.hops)
