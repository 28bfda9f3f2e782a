"""A restored database: nothing is signed before the trades since the backup are known, and nothing is traded twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast
from uuid import UUID

import pytest
from solders.signature import Signature
from uuid_utils.compat import uuid7

from db import halts, installation, journal, restoring
from db.audit import Actor
from db.connection import database
from db.journal import Change
from db.models import DEFAULT_ACCOUNT, Attempt, Fill, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled
from orderd.domain.halt import HaltCause
from orderd.domain.memo import Memo
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import halting, views
from orderd.engine.intake import Intake, SubmitOutcome
from orderd.engine.publish import Publisher
from orderd.engine.restoring import Restoring
from orderd.engine.settlement.outcome import Outcomes
from orderd.solana.observer import Observer, PaidTransaction
from orderd.solana.rpc import Mention, RpcWrongChainError
from orderd.solana.rpc_types import EpochInfo
from tests.integration.engine.conftest import WALLET, ScriptedChain, signature
from tests.integration.engine.test_intake import forgotten as forgotten
from tests.integration.engine.test_intake import intake as intake
from tests.integration.engine.test_intake import submission
from tests.integration.family import twap
from tests.integration.orders import FILL, built, new_order, pending, read, sign
from tests.samples.orders import FILL as CONFIRMED

HEIGHT = 1_000
OLD = b"old!"


@dataclass
class History:
    """Stands in for the observer: the wallet's transactions, and the height of the chain."""

    height: int = HEIGHT
    is_whole: bool = True
    is_other_chain: bool = False
    asked_from: list[int] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    chain: ScriptedChain = field(default_factory=ScriptedChain)
    strangers: set[str] = field(default_factory=set)

    def newest_height(self) -> int:
        return self.height

    def finalized(self) -> EpochInfo:
        return EpochInfo(self.height + 1, self.height, 0)

    def keeps_all_since(self, slot: int, finalized: EpochInfo) -> bool:
        self.asked_from.append(slot)
        return self.is_whole

    def confirm_chain(self) -> None:
        if self.is_other_chain:
            raise RpcWrongChainError("the RPC endpoint leads to devnet")

    def mentions_since(self, slot: int, finalized: EpochInfo) -> Iterator[Mention]:
        yield from self.mentions

    def paid_by_wallet(self, signatures: Sequence[Signature]) -> list[PaidTransaction]:
        return [
            PaidTransaction(each, self.chain.transactions[str(each)])
            for each in signatures
            if str(each) not in self.strangers
        ]

    def trades(self, order_id: UUID, tag: bytes, *, by: bytes = OLD, attempt: int = 1, err: str | None = None) -> str:
        """The wallet pays for a transaction that sells 1.5 SOL, signed after the backup."""
        name = signature(len(self.mentions) + 1)
        self.chain.land(name, err=err)
        memo = Memo(order_id, attempt, tag, by).text
        self.mentions.append(Mention(Signature.from_string(name), 9, err, f"[40] {memo}"))
        return name


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def restored(history: History, publisher: Publisher) -> Restoring:
    """The state right after a restore of a database whose installation id was ``OLD``."""
    database.execute_sql("UPDATE installation SET id = %s", (OLD,))
    observer = cast("Observer", history)
    return Restoring(observer, Outcomes(WALLET, RetryPolicy()), publisher, halts.current)


def begin() -> None:
    restoring.begin("restored from a test")


def check(restored: Restoring, history: History) -> bool:
    """Run both passes, 151 blocks apart."""
    assert not restored.run_once()
    history.height += 151
    return restored.run_once()


def tag_of(client_order_id: str) -> bytes:
    (tag,) = database.execute_sql("SELECT memo_tag(%s, %s)", (str(DEFAULT_ACCOUNT), client_order_id)).fetchone()
    return bytes(tag)


def reason() -> str:
    (halt,) = [each for each in halts.current() if each.cause is HaltCause.RESTORE]
    return halt.reason


def test_trading_is_halted_until_the_history_is_read_and_an_operator_lifts_the_halt(
    restored: Restoring, history: History
) -> None:
    begin()
    assert {halt.cause for halt in halts.current()} == {HaltCause.RESTORE, HaltCause.OPERATOR}
    assert [halt.cause for halt in halting.lift(Actor("ops")).halts] == [HaltCause.RESTORE], (
        "an operator cannot lift the halt of a restore"
    )
    assert check(restored, history)
    assert halts.current() == ()
    begin()
    assert check(restored, history)
    assert [halt.cause for halt in halts.current()] == [HaltCause.OPERATOR]


def test_the_history_is_read_only_after_signed_attempts_have_expired(restored: Restoring, history: History) -> None:
    begin()
    restored.run_once()
    history.height += 150
    assert not restored.run_once()
    assert (history.asked_from, "1 more blocks" in reason()) == ([], True)
    history.height += 1
    assert restored.run_once()


def test_a_restarted_process_uses_the_height_found_first(restored: Restoring, history: History) -> None:
    begin()
    restored.run_once()
    history.height += 100
    assert restoring.height() == HEIGHT
    restoring.note_height(HEIGHT + 100)
    assert restoring.height() == HEIGHT


def test_an_incomplete_history_keeps_the_halt(restored: Restoring, history: History) -> None:
    begin()
    history.is_whole = False
    assert not check(restored, history)
    assert "ORDERD_RPC_SINGLE_NODE" in reason()
    history.is_whole = True
    assert restored.run_once()


def test_the_history_of_another_chain_keeps_the_halt(restored: Restoring, history: History) -> None:
    begin()
    history.is_other_chain = True
    with pytest.raises(RpcWrongChainError):
        check(restored, history)
    assert {halt.cause for halt in halts.current()} == {HaltCause.OPERATOR, HaltCause.RESTORE}
    history.is_other_chain = False
    assert restored.run_once()


def test_a_database_that_may_lack_its_newest_transactions_is_treated_like_a_restored_backup(
    restored: Restoring, history: History
) -> None:
    """A standby that is promoted begins a new timeline. This one had not yet received an attempt that was sent."""
    order_id = pending()
    name = history.trades(order_id, bytes(read(order_id).memo_tag or b""))
    database.execute_sql("UPDATE installation SET timeline = '00000000'")
    assert not restored.run_once()
    assert {halt.cause for halt in halts.current()} == {HaltCause.RESTORE, HaltCause.OPERATOR}
    assert "promoted" in reason()
    assert installation.read().id == OLD, "the workers that go on sign with it"
    assert check(restored, history)
    assert (read(order_id).status, read(order_id).signature) == (OrderStatus.CONFIRMED, name)
    halting.lift(Actor("ops"))
    assert not restored.run_once()
    assert halts.current() == ()


def test_the_new_installation_owns_what_the_old_one_signed_up_to_the_last_read_slot(
    restored: Restoring, history: History
) -> None:
    begin()
    known = installation.read()
    assert known.id != OLD
    assert known.is_own(OLD, 10**12), "the last slot of the old installation is not known yet"
    history.trades(uuid7(), tag_of("lost"))
    assert check(restored, history)
    known = installation.read()
    assert (known.is_own(OLD, 9), known.is_own(OLD, 10)) == (True, False)


def test_an_order_traded_after_the_backup_is_filled(restored: Restoring, history: History) -> None:
    order_id = pending()
    begin()
    name = history.trades(order_id, bytes(read(order_id).memo_tag or b""), attempt=3)
    assert check(restored, history)
    order = read(order_id)
    assert (order.status, order.signature, order.filled_in) == (OrderStatus.CONFIRMED, name, 1_500_000_000)
    kinds = [event.data.kind for event in views.events_after(order_id, 0)]
    assert kinds == [EventKind.ACCEPTED, EventKind.RECOVERED, EventKind.CONFIRMED]
    assert [(row.number, row.outcome, row.signature) for row in Attempt.select()] == [(3, "landed", name)]
    assert [row.signature for row in Fill.select()] == [name]


@pytest.mark.parametrize("how", ["failed", "a stranger's", "another installation's"])
def test_transactions_that_are_not_trades_of_this_installation_are_ignored(
    restored: Restoring, history: History, how: str
) -> None:
    order_id = pending()
    begin()
    tag = bytes(read(order_id).memo_tag or b"")
    name = history.trades(
        order_id, tag, err="failed" if how == "failed" else None, by=b"else" if how.startswith("another") else OLD
    )
    if how == "a stranger's":
        history.strangers.add(name)
    assert check(restored, history)
    assert (read(order_id).status, Attempt.select().count()) == (OrderStatus.PENDING, 0)


def test_a_traded_lost_order_is_refused_with_its_signature_when_resubmitted(
    restored: Restoring, history: History, intake: Intake
) -> None:
    begin()
    name = history.trades(uuid7(), tag_of("lost"))
    (while_halted,) = intake.submit_batch([submission(intake, "lost")])
    assert isinstance(while_halted, OrderdError)
    assert while_halted.code is ErrorCode.SERVICE_HALTED
    assert check(restored, history)
    halting.lift(Actor("ops"))
    again, other = intake.submit_batch([submission(intake, "lost"), submission(intake, "other")])
    assert isinstance(again, OrderdError)
    assert (again.code, name in again.detail) == (ErrorCode.ORDER_TRADED, True)
    assert isinstance(other, SubmitOutcome)


def test_a_family_is_cancelled_if_a_lost_child_was_traded(restored: Restoring, history: History) -> None:
    parent, other = twap(), pending()
    begin()
    history.trades(uuid7(), bytes(read(parent).memo_tag or b""))
    assert check(restored, history)
    assert (read(parent).status, read(other).status) == (OrderStatus.CANCELLED, OrderStatus.PENDING)


def test_a_filled_order_of_the_backup_is_not_changed(restored: Restoring, history: History) -> None:
    order_id = pending()
    journal.apply([Change(order_id, Cancelled(), None)])
    begin()
    history.trades(order_id, bytes(read(order_id).memo_tag or b""))
    assert check(restored, history)
    assert read(order_id).status is OrderStatus.CANCELLED


def test_an_unreadable_transaction_keeps_the_halt_and_changes_nothing(restored: Restoring, history: History) -> None:
    good, bad = pending(), pending(amount_in=1)
    begin()
    history.trades(good, bytes(read(good).memo_tag or b""))
    name = history.trades(bad, bytes(read(bad).memo_tag or b""))
    history.chain.transactions[name] = replace(history.chain.transactions[name], tokens=(), lamports={})
    assert not check(restored, history)
    assert name in reason()
    assert [read(each).status for each in (good, bad)] == [OrderStatus.PENDING] * 2


def test_an_exit_is_restored_after_its_entry_is_filled(restored: Restoring, history: History) -> None:
    entry, exit_ = journal.accept([new_order("entry", then_take_profit_price="200", then_stop_price="50")])
    begin()
    tag = bytes(entry.order.memo_tag or b"")
    history.trades(exit_.order.id, tag)
    assert not check(restored, history), "the exit is held without an amount"
    assert read(exit_.order.id).status is OrderStatus.HELD
    assert halts.current()


def landed(slot: int) -> None:
    land(sign(built(), f"landed in {slot}", slot + 100).order, slot)


def land(order: Order, slot: int) -> None:
    end = journal.AttemptEnd("landed", slot, 1)
    journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=end)])


def asked_from(restored: Restoring, history: History) -> int:
    check(restored, history)
    return history.asked_from[-1]


def test_a_backup_without_transactions_is_checked_from_the_first_transaction(
    restored: Restoring, history: History
) -> None:
    begin()
    assert asked_from(restored, history) == 0


def test_the_history_is_read_from_the_newest_transaction_of_the_backup(restored: Restoring, history: History) -> None:
    landed(300)
    landed(200)
    begin()
    assert asked_from(restored, history) == 300


def test_attempts_in_flight_are_searched_from_their_blockhash(restored: Restoring, history: History) -> None:
    landed(300)
    sign(built(), "live", 370)
    begin()
    assert asked_from(restored, history) == 220


def test_a_transaction_that_lands_after_the_restore_hides_no_earlier_one(restored: Restoring, history: History) -> None:
    """Attempts in flight at the backup are sent again, and may land later than transactions unknown to the backup."""
    landed(400)
    under_way = sign(built(), "live", 450).order
    begin()
    land(under_way, 900)
    assert asked_from(restored, history) == 300
