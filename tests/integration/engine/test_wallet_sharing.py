"""Two installations that sign with one wallet: the one that notices it stops signing."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from solders.signature import Signature
from uuid_utils.compat import uuid7

from db import halts, installation, restoring
from db.audit import DAEMON, Actor
from db.connection import database
from db.restoring import LostOrder
from orderd.domain.errors import ErrorCode
from orderd.domain.halt import HaltCause
from orderd.domain.memo import Memo
from orderd.engine import halting
from orderd.engine.wallet_sharing import WalletSharing
from orderd.solana.observer import Observer, PaidTransaction
from orderd.solana.rpc import Mention, RpcError, RpcWrongChainError
from tests.integration.engine.conftest import ScriptedChain, signature
from tests.integration.orders import built, pending, sign

OTHER = b"else"


@dataclass
class Wallet:
    """Stands in for the observer: the wallet's mentions; those in ``strangers`` were paid by other wallets."""

    mentions: list[Mention] = field(default_factory=list)
    strangers: set[Signature] = field(default_factory=set)
    outage: RpcError | None = None
    is_other_chain: bool = False

    def signs(self, by: bytes | None, slot: int, err: str | None = None, *, order_id: UUID | None = None) -> Signature:
        found = Signature.from_string(signature(len(self.mentions) + 1))
        memo = f"{uuid7()}:1" if by is None else Memo(order_id or uuid7(), 1, bytes(8), by).text
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
    attempt = sign(built(), signature(1))
    wallet.signs(own(), 10, order_id=attempt.order.id)
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


def test_a_transaction_under_the_own_id_that_is_not_stored_halts_trading(
    wallet: Wallet, sharing: WalletSharing
) -> None:
    """Another daemon runs on a copy of the database, and executes the same orders."""
    found = wallet.signs(own(), 10)
    assert sharing.run_once()
    (halt,) = halts.current()
    assert halt.error.code is ErrorCode.WALLET_SHARED
    assert f"transaction {found} in slot 10" in halt.reason
    assert "a copy of it" in halt.reason
    halting.lift(Actor("ops"))
    assert not sharing.run_once()


def test_a_copy_of_a_memo_that_another_wallet_paid_for_is_ignored(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.strangers.add(wallet.signs(own(), 10))
    assert not sharing.run_once()


def test_transactions_that_a_restore_has_found_are_own(wallet: Wallet, sharing: WalletSharing) -> None:
    found = wallet.signs(own(), 10)
    restoring.keep_lost([LostOrder(str(found), bytes(8), uuid7(), 10)])
    assert not sharing.run_once()


def test_the_fill_of_an_attempt_that_is_lost_is_own(wallet: Wallet, sharing: WalletSharing) -> None:
    """It was found among the wallet's transactions after a restore."""
    order_id = pending()
    found = wallet.signs(own(), 10, order_id=order_id)
    database.execute_sql(
        "INSERT INTO fills (order_id, attempt, signature, slot, at, amount_in, amount_out, network_fee) "
        "VALUES (%s, 1, %s, 10, now(), 1, 1, 5000)",
        (str(order_id), str(found)),
    )
    assert not sharing.run_once()


def test_a_restore_decides_about_transactions_that_may_be_missing(wallet: Wallet, sharing: WalletSharing) -> None:
    wallet.signs(own(), 10)
    halts.halt(HaltCause.RESTORE, DAEMON, "what was traded is not known yet")
    assert not sharing.run_once()


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
