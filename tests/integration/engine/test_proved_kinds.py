"""A pool kind is traded only while the deployed program is the one that was proved."""

import pytest
from solders.pubkey import Pubkey

from db import proofs
from db.connection import database
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.engine.proved_kinds import REFRESH_SECONDS, ProvedKinds, ProvedVenue
from orderd.solana.deployments import LOADER, program_account_data, program_data, program_data_address
from orderd.solana.pool_programs import program_of
from orderd.venues.base import Liquidity
from orderd.venues.pool_venue import venue_class
from orderd.venues.quoting_code import quoting_code
from orderd.venues.reading import read
from tests.unit.venues.chain import Chain

KIND = PoolKind.RAYDIUM_CPMM
PROGRAM = program_of(KIND).ids["mainnet"]
PAIR = (str(Pubkey.new_unique()), str(Pubkey.new_unique()))


class World:
    """A chain with one program, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.chain = Chain()
        self.chain.accounts[PROGRAM] = LOADER, program_account_data(PROGRAM)
        self.deploy(slot=7)
        rpc = self.chain.rpc()
        self.kinds = ProvedKinds(rpc, "mainnet", [KIND], clock=lambda: self.now)
        self.venue = ProvedVenue(venue_class(KIND)(rpc, chain="mainnet"), self.kinds)

    def deploy(self, slot: int) -> None:
        self.chain.accounts[program_data_address(PROGRAM)] = LOADER, program_data(slot, b"\x7fELF")

    def a_while_later(self) -> None:
        """Advance the clock until cached answers have expired."""
        self.now += 2 * REFRESH_SECONDS + 1

    def refusals(self) -> list[OrderdError]:
        return list(self.venue.liquidity(*PAIR).refusals)


def prove(slot: int, *, proved: bool = True, program: Pubkey = PROGRAM, code: str = quoting_code(KIND)) -> None:
    differences = () if proved else ("one",)
    found = {"pools": 1, "swaps": 6, "version": "0.1.0"}
    with database.connection_context():
        proofs.keep(KIND, str(program), slot, proved=proved, differences=differences, code=code, **found)  # type: ignore[arg-type]


def test_a_proof_of_other_quoting_code_does_not_count(world: World) -> None:
    prove(7, code="of an earlier version")
    (refusal,) = world.refusals()
    assert refusal.code is ErrorCode.POOL_UNPROVEN
    assert "orderd has been updated" in refusal.detail
    prove(7)
    world.a_while_later()
    assert world.refusals() == []


@pytest.fixture
def world(connected: str) -> World:
    return World()


def test_an_unproved_program_is_not_traded(world: World) -> None:
    (refusal,) = world.refusals()
    assert refusal.code is ErrorCode.POOL_UNPROVEN
    assert "has not been proved on this chain" in refusal.detail


def test_a_proved_program_is_traded(world: World) -> None:
    prove(slot=7)
    assert world.kinds.current() == {KIND: None}
    assert world.refusals() == []


def test_an_upgraded_program_is_not_traded_after_a_minute(world: World) -> None:
    prove(slot=7)
    assert world.refusals() == []
    world.deploy(slot=8)
    world.a_while_later()
    (refusal,) = world.refusals()
    assert refusal.code is ErrorCode.POOL_UNPROVEN
    assert "upgraded at slot 8, and the one that was proved is of slot 7" in refusal.detail
    prove(slot=8)
    world.a_while_later()
    assert world.refusals() == []


def test_a_program_that_pays_other_amounts_than_quoted_is_not_traded(world: World) -> None:
    prove(slot=7, proved=False)
    assert "does not pay as quoted" in world.refusals()[0].detail


def test_a_proof_of_another_program_does_not_count(world: World) -> None:
    prove(slot=7, program=Pubkey.new_unique())
    assert "has not been proved" in world.refusals()[0].detail


def test_a_missing_program_is_not_traded(world: World) -> None:
    prove(slot=7)
    del world.chain.accounts[PROGRAM]
    assert "the chain has no program" in world.refusals()[0].detail


def test_a_pending_check_is_not_a_refusal(world: World) -> None:
    """The first caller waits for the check instead of reporting the program as unproved."""
    assert not world.venue.is_known(*PAIR)
    assert not world.venue.is_fresh(*PAIR)
    assert read(world.chain.rpc(), world.venue.reading(*PAIR)) is None
    world.refusals()
    assert world.venue.is_known(*PAIR)
    assert world.venue.is_fresh(*PAIR)
    liquidity = read(world.chain.rpc(), world.venue.reading(*PAIR))
    assert isinstance(liquidity, Liquidity)
    assert [refusal.code for refusal in liquidity.refusals] == [ErrorCode.POOL_UNPROVEN]


def test_no_program_is_reported_as_unproved_while_postgres_is_unavailable(world: World) -> None:
    with database.connection_context():
        database.execute_sql("DROP TABLE proofs")
    with pytest.raises(OrderdError) as refused:
        world.venue.liquidity(*PAIR)
    assert refused.value.code is not ErrorCode.POOL_UNPROVEN
