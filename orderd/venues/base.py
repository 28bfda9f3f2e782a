"""What a venue is to the rest of orderd: the pools of one program, and the instructions that swap in them."""

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
    """A pool that swaps now, as it stood at ``slot``, with ``mint_in`` as the token sold.

    A swap in it takes about ``units`` compute units, and ``units_a_step`` for each tick or bin that it crosses. Of the
    bytes of a transaction it takes at least ``size``, and shares ``size_shared`` with all other swaps in pools of its
    kind. ``read_as`` is the same object for as long as the pool's accounts stay as they are, however often they are
    read.
    """

    venue: VenueName
    address: str
    kind: PoolKind
    mint_in: str
    mint_out: str
    slot: int
    side: Side
    units: int
    units_a_step: int
    vaults: tuple[Pubkey, Pubkey]
    """Of the token that is sold, and of the one that is bought."""
    size: int = 0
    size_shared: int = 0
    read_as: object = field(default_factory=object, compare=False, repr=False)
    curves: dict[int, Curve] = field(default_factory=dict, compare=False, repr=False)

    def curve(self, most_steps: int) -> Curve:
        """Its side's, up to so many ticks or bins: one for all orders."""
        if most_steps not in self.curves:
            self.curves[most_steps] = Curve(self.side.segments(), U64_MAX, most_steps)
        return self.curves[most_steps]

    def venue_quote(self, quote: Quote) -> VenueQuote:
        """A quote of its side as the rest of orderd knows quotes."""
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
            compute_units=self.units + self.units_a_step * quote.steps,
            spot=quote.spot,
            exact_out=quote.exact_out,
            transfer_fee_in=quote.transfer_fee_in,
            transfer_fee_out=quote.transfer_fee_out,
        )

    def refused(self, error: SwapError) -> VenueRefusal:
        """Its side's refusal to make a swap, as the rest of orderd knows refusals."""
        return VenueRefusal(self.venue, SWAP_ERRORS[error.kind], f"pool {self.address}: {error}")


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The open pools of a pair in one direction, and why others that trade the pair are left out.

    ``listed`` are the addresses of both, as far as pools are looked at; None if not known.
    """

    pools: tuple[OpenPool, ...] = ()
    refusals: tuple[OrderdError, ...] = ()
    listed: frozenset[str] | None = None


class Venue(Protocol):
    """One program of a DEX. Thread-safe; may ask the chain and raises OrderdError, RPC_* if it does not answer."""

    @property
    def name(self) -> VenueName: ...

    @property
    def kind(self) -> PoolKind: ...

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        """The addresses of the pools that trade this pair, in either direction."""
        ...

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        """The pools that trade this pair as far as is known without asking; before that, all configured ones."""
        ...

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        """Look up again which pools trade this pair, now and when the node hints that there is another one.

        Whether there are others than before. Raises OrderdError RPC_*.
        """
        ...

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        """Whether ``liquidity`` would answer at once, from state that is at hand and young enough."""
        ...

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        """Whether it need not be looked up first which pools there are."""
        ...

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        """Whether a hint says that pools have changed since they were read."""
        ...

    def hints(self, mint_in: str, mint_out: str) -> int:
        """How many hints there have been that pools have changed, including those that have been read since."""
        ...

    def reading(self, mint_in: str, mint_out: str) -> "Reading[Liquidity | None]":
        """Like ``liquidity``, read together with others; None if the pools are not known yet, or are being read.

        It must be read to its end, because other threads may wait for it. Raises OrderdError RPC_*.
        """
        ...

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        """The pools that sell ``mint_out`` for ``mint_in`` now. Refusals are POOL_CLOSED and POOL_UNSUPPORTED."""
        ...

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        """The token programs of the mints paid and bought. Raises PoolRefusedError, and OrderdError RPC_*."""
        ...

    def account_size(self, quote: VenueQuote) -> int:
        """Bytes of a new account for what is bought. Raises as ``token_programs`` does."""
        ...

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, limit: int, *, small: bool
    ) -> Instruction:
        """The swap itself, between token accounts that exist. It fails on chain where it would pay less than ``limit``
        base units or, of a quote for an exact output, take more.

        A ``small`` one names fewer accounts, and so has less room for a price that moves. Raises PoolRefusedError where
        the pool as it stands by now cannot make this swap, and OrderdError RPC_*.
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
    """A whole trade from and to the owner's own accounts: all swaps of the route, and the accounts they need.

    Every swap has its own floor, so that the trade pays ``limit`` base units or fails as a whole; where the output is
    exact, its own ceiling, so that the trade takes no more than ``limit``. With a ``wrap_seed`` it leaves alone the
    wrapped SOL that the owner has; with ``use_wrapped`` it sells that. ``small`` swaps are those of routes of several
    legs where nothing is said.
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
    """A price impact in basis points, rounded up to a hundredth of one: never shown smaller than it is."""
    return Decimal(-(-lost * BPS * 100 // of)).scaleb(-2)
