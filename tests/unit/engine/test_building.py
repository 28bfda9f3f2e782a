"""What is signed: with which floor, after which simulation, and within which compute units."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn, cast

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Hop, PoolKind, Route, VenueName, VenueQuote
from orderd.domain.tokens import BUILTIN_TOKENS, USDC_MINT, WSOL_MINT
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder, SwapPlan, units_with_margin
from orderd.solana.keys import Wallet
from orderd.solana.programs import system, token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.rpc_types import Account, AtSlot, LatestBlockhash, Simulation
from orderd.solana.transaction import decode
from orderd.venues.guest import PoolRefusedError

CHILLGUY_MINT = BUILTIN_TOKENS[2].mint
LEG = VenueQuote(
    venue=VenueName.METEORA,
    pool="pool",
    pool_kind=PoolKind.METEORA_DLMM,
    mint_in=WSOL_MINT,
    mint_out=USDC_MINT,
    amount_in=10**9,
    amount_out=10**8,
    fee=1,
    fee_mint=WSOL_MINT,
    price_impact_bps=Decimal(0),
    slot=7,
    compute_units=500_000,
)


@pytest.mark.parametrize(
    ("consumed", "asked"),
    [(100_000, 145_000), (1_300_000, MAX_COMPUTE_UNITS), (0, MAX_COMPUTE_UNITS)],
    ids=["a margin", "no more than there are", "all there are where the node does not tell"],
)
def test_what_is_asked_for_is_what_the_simulation_used_and_a_margin(consumed: int, asked: int) -> None:
    assert units_with_margin(consumed) == asked


def test_a_route_that_computes_too_much_does_not_fit() -> None:
    nobody = cast("Any", None)
    builder = Builder(nobody, nobody, Wallet(Keypair()), nobody, blockhash_age=0.0)
    three = Route((Hop((LEG, replace(LEG, pool="second"), replace(LEG, pool="third"))),))
    assert three.compute_units > MAX_COMPUTE_UNITS
    assert not builder.fits(three)


class Refusing:
    """A router whose one venue cannot make the swap by now; it is told which pools to leave alone."""

    def __init__(self, *, passing: bool) -> None:
        self.passing = passing
        self.left_alone: list[str] = []

    def venue_of(self, quote: VenueQuote) -> "Refusing":
        return self

    def token_programs(self, quote: VenueQuote) -> NoReturn:
        raise PoolRefusedError(quote.pool, ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, "it moved", passing=self.passing)

    def refused(self, pool: str, reason: str) -> None:
        self.left_alone.append(pool)


@pytest.mark.parametrize(("passing", "left_alone"), [(True, []), (False, ["pool"])], ids=["moved", "broken"])
def test_a_swap_that_cannot_be_made_any_more_is_a_matter_of_its_route(passing: bool, left_alone: list[str]) -> None:
    router, nobody = Refusing(passing=passing), cast("Any", None)
    builder = Builder(cast("Any", router), nobody, Wallet(Keypair()), nobody, blockhash_age=0.0)
    route = Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=CHILLGUY_MINT))
    with pytest.raises(RouteRefusedError) as refused:
        builder.sign(SwapPlan(route, 1), "memo")
    assert (refused.value.pool, refused.value.moved) == ("pool", passing)
    assert refused.value.error.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY
    assert router.left_alone == left_alone
    assert not builder.fits(route), "nor is it looked at while routes are compared"


def test_no_two_plans_have_one_seed_and_all_seeds_are_of_one_length() -> None:
    """A route is checked for its size with another seed than it is signed with."""
    seeds = [SwapPlan(Route.single(LEG), 1).wrap_seed for _ in range(100)]
    assert len(set(seeds)) == 100
    assert {len(seed) for seed in seeds} == {8}


SWAP_PROGRAM = Pubkey.from_bytes(b"\x05" * 32)


@dataclass
class Surroundings:
    """Plays router, venue, node and fee market. A swap's data is its floor; ``wrapped`` is the wallet's wrapped SOL."""

    refusal: str | None = None
    wrapped: Account | None = None
    simulated: list[bytes] = field(default_factory=list)

    def venue_of(self, quote: VenueQuote) -> "Surroundings":
        return self

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        return token.PROGRAM_ID, token.PROGRAM_ID

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int, *, small: bool
    ) -> Instruction:
        return Instruction(SWAP_PROGRAM, min_amount_out.to_bytes(8, "little"), [])

    def get_latest_blockhash_and_account(self, _: Pubkey) -> tuple[AtSlot[LatestBlockhash], Account | None]:
        return AtSlot(7, LatestBlockhash(Hash.default(), 150)), self.wrapped

    def simulate_transaction(self, raw: bytes, *, replace_blockhash: bool) -> AtSlot[Simulation]:
        self.simulated.append(raw)
        return AtSlot(7, Simulation(self.refusal, ("Program log: no",), 100_000))

    def price(self, _: object, __: object) -> int:
        return 1_000


def builder_among(surroundings: Surroundings) -> Builder:
    anything = cast("Any", surroundings)
    return Builder(anything, anything, Wallet(Keypair()), anything, blockhash_age=60.0)


def floors_in(raw: bytes) -> list[int]:
    message = decode(raw).message
    keys = message.account_keys
    return [
        int.from_bytes(each.data, "little")
        for each in message.instructions
        if keys[each.program_id_index] == SWAP_PROGRAM
    ]


@pytest.mark.parametrize(
    ("parts", "least", "floors"),
    [((10**8,), 99_500_000, [99_500_000]), ((60_000_000, 40_000_000), 99_500_001, [59_700_001, 39_800_001])],
    ids=["one leg", "two legs"],
)
def test_what_is_signed_and_simulated_pays_what_was_agreed_or_fails(
    parts: tuple[int, ...], least: int, floors: list[int]
) -> None:
    surroundings = Surroundings()
    route = Route((Hop(tuple(replace(LEG, amount_out=part) for part in parts)),))
    signed = builder_among(surroundings).sign(SwapPlan(route, least), "order:1")
    assert floors_in(signed.raw) == floors
    assert [floors_in(raw) for raw in surroundings.simulated] == [floors]
    assert (signed.last_valid_block_height, signed.blockhash_slot) == (150, 7)


def test_what_would_fail_is_not_signed() -> None:
    surroundings = Surroundings(refusal="ProgramFailedToComplete")
    with pytest.raises(OrderdError) as refused:
        builder_among(surroundings).sign(SwapPlan(Route.single(LEG), 99_500_000), "order:1")
    assert refused.value.code is ErrorCode.TX_FAILED


def test_no_two_attempts_are_the_same_bytes() -> None:
    """The chain would take the second for a repetition of the first, and one order would be told the other's fill."""
    builder = builder_among(Surroundings())
    plan = SwapPlan(Route.single(LEG), 99_500_000)
    assert len({builder.sign(plan, memo).signature for memo in ("one:1", "one:2", "other:1")}) == 3


def accounts_made_in(raw: bytes) -> list[Pubkey]:
    """Those that the System program makes."""
    message = decode(raw).message
    keys = message.account_keys
    return [
        keys[each.accounts[1]]
        for each in message.instructions
        if keys[each.program_id_index] == system.PROGRAM_ID and each.data[:4] == CREATE_WITH_SEED
    ]


CREATE_WITH_SEED = (3).to_bytes(4, "little")


def test_beside_wrapped_sol_of_the_wallets_own_each_trade_wraps_at_an_address_that_nobody_knew() -> None:
    """Lamports that somebody sent there before would keep the account from being made, and the trade from landing."""
    own = token.TokenAccount.new(token.NATIVE_MINT, Pubkey.new_unique(), 5, native_rent=1).encode()
    surroundings = Surroundings(wrapped=Account(10**7, token.PROGRAM_ID, own, executable=False))
    builder = builder_among(surroundings)
    made = [
        accounts_made_in(builder.sign(SwapPlan(Route.single(LEG), 99_500_000), f"order:{number}").raw)
        for number in range(1, 4)
    ]
    assert [len(each) for each in made] == [1, 1, 1]
    assert len({account for each in made for account in each}) == 3
    signed = builder_among(Surroundings()).sign(SwapPlan(Route.single(LEG), 99_500_000), "order:1")
    assert accounts_made_in(signed.raw) == [], "it has none: its associated account takes fewer bytes"
