"""The local chain shows programs that it runs from binaries, as a validator does."""

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.account import LedgerAccount
from orderd.simnet.genesis import Genesis
from orderd.simnet.programs.deployed import HANDLED, deployed
from orderd.solana.deployments import LOADER, program_data, program_data_address
from orderd.solana.pool_programs import program_of

PROGRAM = program_of(PoolKind.RAYDIUM_CPMM).ids["simnet"]
WHERE = program_data_address(PROGRAM)


def genesis() -> dict[Pubkey, LedgerAccount]:
    block = Genesis(1_800_000_000).block()
    return {key: account for key, account in block.changed.items() if account is not None}


def opened(
    accounts: dict[Pubkey, LedgerAccount], binaries: dict[Pubkey, bytes], slot: int
) -> dict[Pubkey, LedgerAccount]:
    after = accounts | deployed(accounts, binaries, slot)
    return {key: account for key, account in after.items() if account is not None}


def test_nothing_changes_without_binaries() -> None:
    assert deployed(genesis(), {}, 5) == {}


def test_a_binary_is_deployed_when_it_is_first_run() -> None:
    chain = opened(genesis(), {PROGRAM: b"one"}, 5)
    assert (chain[PROGRAM].owner, chain[PROGRAM].executable) == (LOADER, True)
    assert chain[WHERE].data == program_data(5, b"one")


def test_the_same_binary_is_kept_and_another_one_is_an_upgrade() -> None:
    chain = opened(genesis(), {PROGRAM: b"one"}, 5)
    assert deployed(chain, {PROGRAM: b"one"}, 9) == {}
    assert opened(chain, {PROGRAM: b"two"}, 9)[WHERE].data == program_data(9, b"two")


def test_no_binary_is_shown_after_a_return_to_the_handler() -> None:
    chain = opened(opened(genesis(), {PROGRAM: b"one"}, 5), {}, 9)
    assert chain[PROGRAM] == HANDLED
    assert WHERE not in chain
