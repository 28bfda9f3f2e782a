"""The program deployed at an address, and the slot of its deployment."""

import pytest
from solders.pubkey import Pubkey

from orderd.solana.deployments import (
    FIXED_LOADER,
    LOADER,
    Binary,
    binary,
    deployed_slots,
    program_account_data,
    program_data,
    program_data_address,
)
from tests.unit.venues.chain import Chain

PROGRAM = Pubkey.new_unique()
ELF = b"\x7fELF and the rest"


@pytest.fixture
def chain() -> Chain:
    """A chain with an upgradeable program deployed at slot 42."""
    chain = Chain()
    chain.accounts[PROGRAM] = LOADER, program_account_data(PROGRAM)
    chain.accounts[program_data_address(PROGRAM)] = LOADER, program_data(42, ELF)
    return chain


def test_an_upgradeable_program_has_the_slot_of_its_binary(chain: Chain) -> None:
    assert deployed_slots(chain.rpc(), [PROGRAM, PROGRAM]) == {PROGRAM: 42}
    assert binary(chain.rpc(), PROGRAM) == Binary(42, ELF)


def test_a_program_that_cannot_be_upgraded_has_slot_zero() -> None:
    chain = Chain()
    chain.accounts[PROGRAM] = FIXED_LOADER, ELF
    assert deployed_slots(chain.rpc(), [PROGRAM]) == {PROGRAM: 0}
    assert binary(chain.rpc(), PROGRAM) == Binary(0, ELF)


def test_a_missing_program_has_no_slot(chain: Chain) -> None:
    assert deployed_slots(chain.rpc(), [Pubkey.new_unique()]) == {}
    assert binary(chain.rpc(), Pubkey.new_unique()) is None


@pytest.mark.parametrize("data", [b"", program_data(42, ELF)[:44], b"\0" * 45], ids=["none", "cut short", "closed"])
def test_a_program_whose_binary_was_closed_has_no_slot(chain: Chain, data: bytes) -> None:
    chain.accounts[program_data_address(PROGRAM)] = LOADER, data
    assert deployed_slots(chain.rpc(), [PROGRAM]) == {}
    assert binary(chain.rpc(), PROGRAM) is None


def test_an_invalid_binary_is_not_run(chain: Chain) -> None:
    chain.accounts[program_data_address(PROGRAM)] = LOADER, program_data(42, b"no program")
    assert deployed_slots(chain.rpc(), [PROGRAM]) == {PROGRAM: 42}
    assert binary(chain.rpc(), PROGRAM) is None


def test_an_account_of_another_owner_is_not_a_program(chain: Chain) -> None:
    chain.accounts[PROGRAM] = Pubkey.new_unique(), program_account_data(PROGRAM)
    assert deployed_slots(chain.rpc(), [PROGRAM]) == {}
