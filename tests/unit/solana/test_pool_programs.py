"""The registry rows of the pool kinds are complete, in the folder of their kind, and found by address."""

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind
from orderd.solana.pool_programs import ProgramError, part, pool_programs, program_at, program_of
from orderd.venues.pool_venue import venue_class


@pytest.mark.parametrize("kind", PoolKind)
def test_each_folder_has_the_row_and_the_venue_of_its_kind(kind: PoolKind) -> None:
    assert program_of(kind).kind is kind
    assert venue_class(kind).program is program_of(kind)


@pytest.mark.parametrize("kind", PoolKind)
def test_each_program_names_its_common_errors(kind: PoolKind) -> None:
    program = program_of(kind)
    for code in (ErrorCode.POOL_CLOSED, ErrorCode.TX_SLIPPAGE_EXCEEDED):
        assert program.errors[program.number_of(code)].code is code


@pytest.mark.parametrize("kind", PoolKind)
def test_error_names_are_unique(kind: PoolKind) -> None:
    program = program_of(kind)
    for error in program.errors.values():
        assert program.error_named(error.name) == error
    assert program.error_named("SomethingNew") == ProgramError("SomethingNew", ErrorCode.TX_FAILED, lasts=False)


@pytest.mark.parametrize("kind", PoolKind)
def test_each_kind_is_on_the_local_chain(kind: PoolKind) -> None:
    assert "simnet" in program_of(kind).ids


def test_a_program_is_found_by_its_address_on_any_chain() -> None:
    for program in pool_programs():
        assert all(program_at(str(address)) is program for address in program.ids.values())
    assert program_at(str(Pubkey.default())) is None
    assert program_at(None) is None


def test_optional_parts_of_a_kind_may_be_missing() -> None:
    with pytest.raises(ImportError):
        part(PoolKind.RAYDIUM_CPMM, "nothing")
