"""Two installations that sign with one wallet: the one that notices it stops signing."""

from dataclasses import dataclass, field

import pytest
from solders.signature import Signature
from uuid_utils.compat import uuid7

from db import halts, installation
from db.audit import Actor
from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.domain.halt import HaltCause
from orderd.domain.memo import Memo
from orderd.engine import halting
from orderd.engine.wallet_sharing import WalletSharing
from orderd.solana.observer import Observer, PaidTransaction
from orderd.solana.rpc import Mention, RpcError, RpcWrongChainError
from tests.integration.engine.conftest import ScriptedChain, signature

OTHER = b"else"


@dataclass
class Wallet:
    """Stands in for the observer: the wallet's mentions; those in ``strangers`` were paid by other wallets."""

    mentions: list[Mention] = field(default_factory=list)
    strangers: set[Signature] = field(default_factory=set)
    outage: RpcError | None = None
    is_other_chain: bool = False

    def signs(self, by: bytes | None, slot: int, err: str | None = None) -> Signature:
        found = Signature.from_string(signature(len(self.mentions) + 1))
        memo = f"{uuid7()}:1" if by is None else Memo(uuid7(), 1, bytes(8), by).text
        self.mentions.insert(0, Mention(found, slot, err, f"[40] {memo}"))
        return found

    def newest_mentions(self) -> list[Mention]:
        return self.mentions

    def confirm_chain(self) -> None:
        if self.is_other_chain:
            raise RpcWrongChainError("the RPC endpoint leads to devnet")

    def paid_by_wallet(self, signatures: list[Signature]) -> list[PaidTransaction]:
        if self.outage:
            raise self.outage
        chain = ScriptedChain()
        for each in signatures:
            chain.land(str(each))
        return [
            PaidTransaction(each, chain.transactions[str(each)]) for each in signatures if each not in self.strangers
        ]


@pytest.fixture
def wallet() -> Wallet:
    return Wallet()


@pytest.fixture
def sharing(wallet: Wallet) -> WalletSharing:
    observer: Observer = wallet  # type: ignore[assignment]
    return WalletSharing(observer)


def own() -> bytes:
    return installation.read().id


def test_own_transactions_do_not_halt_trading(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.signs(own(), 10)
    wallet.signs(None, 11)  # by an earlier version, whose memos do not name the installation
    assert not sharing.run_once()
    assert halts.current() == ()


@pytest.mark.parametrize("err", [None, "failed"])
def test_a_transaction_of_another_installation_halts_trading(
    wallet: Wallet, sharing: WalletSharing, err: str | None
) -> None:
    found = wallet.signs(OTHER, 10, err)
    assert sharing.run_once()
    (halt,) = halts.current()
    assert (halt.cause, halt.error.code) == (HaltCause.SHARED_WALLET, ErrorCode.WALLET_SHARED)
    assert f"transaction {found} in slot 10" in halt.reason
    assert OTHER.hex() in halt.reason


def test_a_transaction_paid_by_another_wallet_is_ignored(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.strangers.add(wallet.signs(OTHER, 10))
    assert not sharing.run_once()


def test_a_lifted_halt_returns_only_for_later_transactions(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.signs(OTHER, 10)
    assert sharing.run_once()
    halting.lift(Actor("ops"))
    assert not sharing.run_once()
    assert halts.current() == ()
    wallet.signs(OTHER, 11)
    assert sharing.run_once()


def test_transactions_under_a_past_installation_id_are_own_up_to_its_last_slot(
    wallet: Wallet, sharing: WalletSharing
) -> None:
    database.execute_sql("INSERT INTO past_installations VALUES (%s, 10)", (OTHER,))
    wallet.signs(OTHER, 10)
    assert not sharing.run_once()
    wallet.signs(OTHER, 11)
    assert sharing.run_once(), "the daemon of the backup still runs"


def test_a_transaction_with_an_unknown_payer_is_checked_again(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.signs(OTHER, 10)
    wallet.outage = RpcError("503")
    with pytest.raises(RpcError):
        sharing.run_once()
    wallet.outage = None
    assert sharing.run_once()


def test_another_chain_decides_nothing_and_hides_no_later_transaction(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.signs(None, 10**9)
    wallet.is_other_chain = True
    with pytest.raises(RpcWrongChainError):
        sharing.run_once()
    wallet.mentions.clear()
    wallet.is_other_chain = False
    wallet.signs(OTHER, 10)
    assert sharing.run_once()
