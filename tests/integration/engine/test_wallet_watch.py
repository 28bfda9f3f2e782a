"""A worker reads the whole wallet in one request, and skips this if another worker has just done so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from solders.pubkey import Pubkey

from db import balances, tokens
from db.balances import SellableBalance
from db.connection import database
from orderd.domain.mint import MintFacts
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.wallet_watch import WalletWatch
from orderd.solana.programs import associated_token, token
from orderd.solana.rpc import ChainAccount, RpcClient, RpcWrongChainError
from orderd.solana.rpc_types import AtSlot

OWNER = Pubkey.from_string("7JuwJuNU88gurFnyWeiyGKbFmExMWcmRZntn9imEzdny")
NEW, OTHER = (str(Pubkey([number] * 32)) for number in (1, 2))
CHILLGUY = WELL_KNOWN["simnet"][2].mint

pytestmark = pytest.mark.usefixtures("connection")


@dataclass
class Node:
    """Answers with these accounts, and counts the requests."""

    accounts: dict[Pubkey, ChainAccount] = field(default_factory=dict)
    slot: int = 100
    asked: int = 0
    is_other_chain: bool = False

    def get_multiple_accounts(self, keys: Sequence[Pubkey]) -> AtSlot[list[ChainAccount | None]]:
        self.asked += 1
        return AtSlot(self.slot, [self.accounts.get(key) for key in keys])

    def confirm_chain(self) -> None:
        if self.is_other_chain:
            raise RpcWrongChainError("the RPC endpoint leads to devnet")

    def hold(self, mint: str, amount: int, program: Pubkey = token.PROGRAM_ID) -> None:
        key = associated_token.address(OWNER, Pubkey.from_string(mint), program)
        data = bytes(Pubkey.from_string(mint)) + bytes(OWNER) + amount.to_bytes(8, "little")
        self.accounts[key] = ChainAccount(2_039_280, program, data.ljust(token.ACCOUNT_SIZE, b"\1"), executable=False)


@pytest.fixture
def node() -> Node:
    return Node({OWNER: ChainAccount(7_000, token.PROGRAM_ID, b"", executable=False)})


def watch(node: Node) -> WalletWatch:
    return WalletWatch(cast("RpcClient", node), OWNER, WELL_KNOWN["simnet"][:3])


def test_the_reading_has_lamports_wrapped_sol_and_tokens_of_both_programs(node: Node) -> None:
    node.hold(USDC_MINT, 5)
    node.hold(WSOL_MINT, 3)
    node.hold(CHILLGUY, 9, token.TOKEN_2022_PROGRAM_ID)
    watch(node).run_once()
    assert {*balances.stored().values()} == {
        SellableBalance(WSOL_MINT, False, 7_000, True),
        SellableBalance(WSOL_MINT, True, 3, True),
        SellableBalance(USDC_MINT, False, 5, True),
        SellableBalance(CHILLGUY, False, 9, True),
    }
    assert node.asked == 1, "accounts were read in several requests"


def test_the_reading_includes_requested_mints(node: Node) -> None:
    tokens.keep_mints([MintFacts(NEW, 4, str(token.TOKEN_2022_PROGRAM_ID)), MintFacts(OTHER, 4, str(token.PROGRAM_ID))])
    node.hold(NEW, 7, token.TOKEN_2022_PROGRAM_ID)
    watch(node).run_once()
    stored = balances.stored()
    assert (stored[NEW, False].amount, stored[OTHER, False].has_account) == (7, False)
    assert node.asked == 1


def test_missing_accounts_have_a_balance_of_zero(node: Node) -> None:
    node.accounts.clear()
    watch(node).run_once()
    assert [(held.amount, held.has_account) for held in balances.stored().values() if held.mint != WSOL_MINT] == [
        (0, False),
        (0, False),
    ]
    assert balances.stored()[WSOL_MINT, False].amount == 0


def test_a_recent_reading_of_another_worker_is_not_repeated(node: Node) -> None:
    watch(node).run_once()
    watch(node).run_once()
    assert node.asked == 1
    database.execute_sql("UPDATE balances SET seen_at = now() - interval '3 seconds'")
    watch(node).run_once()
    assert node.asked == 2


def test_a_reading_dated_in_the_future_is_repeated(node: Node) -> None:
    watch(node).run_once()
    database.execute_sql("UPDATE balances SET seen_at = now() + interval '1 hour'")
    node.accounts.clear()
    watch(node).run_once()
    assert balances.stored()[WSOL_MINT, False].amount == 0


def test_balances_of_another_chain_are_not_stored(node: Node) -> None:
    node.is_other_chain = True
    with pytest.raises(RpcWrongChainError):
        watch(node).run_once()
    assert balances.stored() == {}
