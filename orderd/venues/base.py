"""The protocol of a venue: the pools of one program, and the instructions that swap in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.curve import Curve
from orderd.amm.side import Quote, Side
from orderd.amm.swap import U64_MAX, SwapError
from orderd.domain.errors import OrderdError
from orderd.domain.money import BPS
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import Route, VenueQuote, VenueRefusal
from orderd.solana.wrap import account_of, swap_with_accounts
from orderd.venues.guest import SWAP_ERRORS
from orderd.venues.reading import Reading


@dataclass(frozen=True, slots=True)
class OpenPool:
    """A pool that accepts swaps, in its state at ``slot``, for sales of ``mint_in``.

    A swap takes about ``units`` compute units, and ``units_per_step`` for each tick or bin that it crosses. It adds at
    least ``size`` bytes to a transaction, and shares ``size_shared`` further bytes with all swaps in pools of its kind.
    ``read_as`` is the same object as long as the pool's accounts do not change.
    """

    venue: VenueName
    address: str
    kind: PoolKind
    mint_in: str
    mint_out: str
    slot: int
    side: Side
    units: int
    units_per_step: int
    vaults: tuple[Pubkey, Pubkey]
    """The vaults of the token sold and of the token bought."""
    size: int = 0
    size_shared: int = 0
    read_as: object = field(default_factory=object, compare=False, repr=False)
    curves: dict[int, Curve] = field(default_factory=dict, compare=False, repr=False)

    def curve(self, most_steps: int) -> Curve:
        """The curve of its side, up to this number of ticks or bins; cached for all orders."""
        if most_steps not in self.curves:
            self.curves[most_steps] = Curve(self.side.segments(), U64_MAX, most_steps)
        return self.curves[most_steps]

    def venue_quote(self, quote: Quote) -> VenueQuote:
        """A quote of its side as a VenueQuote."""
        return VenueQuote(
            venue=self.venue,
            pool=self.address,
            pool_kind=self.kind,
            mint_in=self.mint_in,
            mint_out=self.mint_out,
            amount_in=quote.amount_in,
            amount_out=quote.amount_out,
            fee=quote.fee,
            fee_mint=self.mint_in if quote.fee_on_input else self.mint_out,
            price_impact_bps=impact_bps(*quote.lost_to_depth),
            slot=self.slot,
            compute_units=self.units + self.units_per_step * quote.steps,
            spot=quote.spot,
            exact_out=quote.exact_out,
            transfer_fee_in=quote.transfer_fee_in,
            transfer_fee_out=quote.transfer_fee_out,
        )

    def refused(self, error: SwapError) -> VenueRefusal:
        """An error of its side as a VenueRefusal."""
        return VenueRefusal(self.venue, SWAP_ERRORS[error.kind], f"pool {self.address}: {error}")


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The open pools of a pair in one direction, and the reasons why other pools of the pair are excluded.

    ``listed`` are the addresses of all considered pools; None if not known.
    """

    pools: tuple[OpenPool, ...] = ()
    refusals: tuple[OrderdError, ...] = ()
    listed: frozenset[str] | None = None


class Venue(Protocol):
    """The pools of one program. Thread-safe. Methods may query the chain, and raise OrderdError RPC_* if it does not
    answer."""

    @property
    def name(self) -> VenueName: ...

    @property
    def kind(self) -> PoolKind: ...

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        """The addresses of the pools that trade this pair, in either direction."""
        ...

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        """The known pools of this pair, without a query; before the first look-up, all configured pools."""
        ...

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        """Look up the pools of this pair again, now and whenever the node hints at a new one.

        Returns whether the pools changed. Raises OrderdError RPC_*.
        """
        ...

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        """Whether ``liquidity`` would return without a query, from state that is recent enough."""
        ...

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        """Whether the pools of this pair are known without a look-up."""
        ...

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        """Whether a hint says that pools have changed since they were read."""
        ...

    def hints(self, mint_in: str, mint_out: str) -> int:
        """Number of hints so far that pools have changed, including those after which they were read."""
        ...

    def reading(self, mint_in: str, mint_out: str) -> "Reading[Liquidity | None]":
        """``liquidity`` as a Reading, to be combined with others; None if the pools are not known yet, or are being
        read.

        It must be run to its end, because other threads may wait for it. Raises OrderdError RPC_*.
        """
        ...

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        """The pools that now sell ``mint_out`` for ``mint_in``. Refusals are POOL_CLOSED and POOL_UNSUPPORTED."""
        ...

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        """The token programs of the mints sold and bought. Raises PoolRefusedError, and OrderdError RPC_*."""
        ...

    def account_size(self, quote: VenueQuote) -> int:
        """Size in bytes of a new token account for the token bought. Raises the errors of ``token_programs``."""
        ...

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, limit: int, *, small: bool
    ) -> Instruction:
        """The swap instruction between existing token accounts. It fails on chain if it would pay less than ``limit``
        base units or, for an exact output, take more than ``limit``.

        A ``small`` one names fewer accounts, which leaves less room for price moves. Raises PoolRefusedError if the
        pool cannot make this swap any more, and OrderdError RPC_*.
        """
        ...


def trade_instructions(
    venue_of: Callable[[VenueQuote], Venue],
    route: Route,
    owner: Pubkey,
    limit: int,
    wrap_seed: str | None = None,
    *,
    use_wrapped: bool = False,
    small: bool | None = None,
) -> list[Instruction]:
    """A whole trade between the owner's accounts: all swaps of the route, and the creation of the accounts.

    Each swap has its own minimum, so that the trade pays at least ``limit`` base units or fails as a whole; for an
    exact output, each has its own maximum, so that the trade takes at most ``limit``. With a ``wrap_seed`` the trade
    does not touch the owner's wrapped SOL; with ``use_wrapped`` it sells that. By default, swaps are ``small`` in
    routes of several legs.
    """
    small = not route.is_single if small is None else small
    swaps: list[Instruction] = []
    bought: list[tuple[Pubkey, Pubkey]] = []
    limits = route.ceilings(limit) if route.exact_out else route.floors(limit)
    for hop, own in zip(route.hops, limits, strict=True):
        program_in, program_out = venue_of(hop.legs[0]).token_programs(hop.legs[0])
        mint_in, mint_out = Pubkey.from_string(hop.legs[0].mint_in), Pubkey.from_string(hop.mint_out)
        source = account_of(owner, mint_in, program_in, wrap_seed)
        destination = account_of(owner, mint_out, program_out, wrap_seed)
        bought.append((mint_out, program_out))
        swaps += [
            venue_of(leg).swap_instruction(leg, owner, source, destination, each, small=small)
            for leg, each in zip(hop.legs, own, strict=True)
        ]
    mint_in = Pubkey.from_string(route.main.mint_in)
    most = limit if route.exact_out else route.amount_in
    return swap_with_accounts(swaps, owner, mint_in, bought, most, wrap_seed, use_wrapped=use_wrapped)


def impact_bps(lost: int, of: int) -> Decimal:
    """A price impact in basis points, rounded up to 0.01, so that it is never understated."""
    return Decimal(-(-lost * BPS * 100 // of)).scaleb(-2)
