"""A restored database: nothing is signed before it is known what was traded since, and nothing is traded twice."""

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
from orderd.solana.rpc import Mention
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
    """Plays the observer: what the wallet has done, and how far the chain has come."""

    height: int = HEIGHT
    is_whole: bool = True
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
    """Right after the restore of a database whose installation was OLD."""
    database.execute_sql("UPDATE installation SET id = %s", (OLD,))
    observer = cast("Observer", history)
    return Restoring(observer, Outcomes(WALLET, RetryPolicy()), publisher, halts.current)


def begin() -> None:
    restoring.begin("restored from a test")


def check(restored: Restoring, history: History) -> bool:
    """Both passes, and 151 blocks between them."""
    assert not restored.run_once()
    history.height += 151
    return restored.run_once()


def tag_of(client_order_id: str) -> bytes:
    (tag,) = database.execute_sql("SELECT memo_tag(%s, %s)", (str(DEFAULT_ACCOUNT), client_order_id)).fetchone()
    return bytes(tag)


def reason() -> str:
    (halt,) = [each for each in halts.current() if each.cause is HaltCause.RESTORE]
    return halt.reason


def test_it_is_halted_until_all_is_known_and_then_until_an_operator_has_looked(
    restored: Restoring, history: History
) -> None:
    begin()
    assert {halt.cause for halt in halts.current()} == {HaltCause.RESTORE, HaltCause.OPERATOR}
    assert [halt.cause for halt in halting.lift(Actor("ops")).halts] == [HaltCause.RESTORE], "this one ends by itself"
    assert check(restored, history)
    assert halts.current() == ()
    begin()
    assert check(restored, history)
    assert [halt.cause for halt in halts.current()] == [HaltCause.OPERATOR]


def test_nothing_is_read_before_what_was_signed_can_land_no_more(restored: Restoring, history: History) -> None:
    begin()
    restored.run_once()
    history.height += 150
    assert not restored.run_once()
    assert (history.asked_from, "1 more blocks" in reason()) == ([], True)
    history.height += 1
    assert restored.run_once()


def test_a_process_that_is_started_again_goes_by_the_height_that_was_found_first(
    restored: Restoring, history: History
) -> None:
    begin()
    restored.run_once()
    history.height += 100
    assert restoring.height() == HEIGHT
    restoring.note_height(HEIGHT + 100)
    assert restoring.height() == HEIGHT


def test_a_history_that_does_not_reach_back_keeps_the_halt(restored: Restoring, history: History) -> None:
    begin()
    history.is_whole = False
    assert not check(restored, history)
    assert "ORDERD_RPC_SINGLE_NODE" in reason()
    history.is_whole = True
    assert restored.run_once()


def test_it_takes_a_new_id_and_what_the_old_one_signed_belongs_to_it_up_to_the_newest_that_was_read(
    restored: Restoring, history: History
) -> None:
    begin()
    known = installation.read()
    assert known.id != OLD
    assert known.is_own(OLD, 10**12), "nobody knows yet where it ended"
    history.trades(uuid7(), tag_of("lost"))
    assert check(restored, history)
    known = installation.read()
    assert (known.is_own(OLD, 9), known.is_own(OLD, 10)) == (True, False)


def test_an_order_of_the_backup_that_was_traded_since_is_filled(restored: Restoring, history: History) -> None:
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
def test_what_was_no_trade_of_this_installation_is_none(restored: Restoring, history: History, how: str) -> None:
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


def test_a_lost_order_is_refused_with_its_signature_when_its_client_repeats_it(
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


def test_what_is_left_of_a_family_is_cancelled_where_a_lost_part_of_it_was_traded(
    restored: Restoring, history: History
) -> None:
    parent, other = twap(), pending()
    begin()
    history.trades(uuid7(), bytes(read(parent).memo_tag or b""))
    assert check(restored, history)
    assert (read(parent).status, read(other).status) == (OrderStatus.CANCELLED, OrderStatus.PENDING)


def test_an_order_that_had_ended_with_its_fill_stays_as_it_is(restored: Restoring, history: History) -> None:
    order_id = pending()
    journal.apply([Change(order_id, Cancelled(), None)])
    begin()
    history.trades(order_id, bytes(read(order_id).memo_tag or b""))
    assert check(restored, history)
    assert read(order_id).status is OrderStatus.CANCELLED


def test_a_transaction_that_cannot_be_read_keeps_the_halt_and_changes_nothing(
    restored: Restoring, history: History
) -> None:
    good, bad = pending(), pending(amount_in=1)
    begin()
    history.trades(good, bytes(read(good).memo_tag or b""))
    name = history.trades(bad, bytes(read(bad).memo_tag or b""))
    history.chain.transactions[name] = replace(history.chain.transactions[name], tokens=(), lamports={})
    assert not check(restored, history)
    assert name in reason()
    assert [read(each).status for each in (good, bad)] == [OrderStatus.PENDING] * 2


def test_what_follows_an_order_waits_until_that_is_filled(restored: Restoring, history: History) -> None:
    entry, exit_ = journal.accept([new_order("entry", then_take_profit_price="200", then_stop_price="50")])
    begin()
    tag = bytes(entry.order.memo_tag or b"")
    history.trades(exit_.order.id, tag)
    assert not check(restored, history), "it is held, and has no amount"
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


def test_it_reads_from_the_first_transaction_on_where_the_backup_knows_none(
    restored: Restoring, history: History
) -> None:
    begin()
    assert asked_from(restored, history) == 0


def test_what_the_backup_does_not_know_was_signed_after_the_newest_that_it_knows(
    restored: Restoring, history: History
) -> None:
    landed(300)
    landed(200)
    begin()
    assert asked_from(restored, history) == 300


def test_what_was_under_way_is_looked_for_from_its_blockhash_on(restored: Restoring, history: History) -> None:
    landed(300)
    sign(built(), "live", 370)
    begin()
    assert asked_from(restored, history) == 220


def test_what_lands_after_the_restore_hides_nothing_that_landed_before_it(
    restored: Restoring, history: History
) -> None:
    """What the backup had under way is sent again, and may land later than what the backup does not know."""
    landed(400)
    under_way = sign(built(), "live", 450).order
    begin()
    land(under_way, 900)
    assert asked_from(restored, history) == 300
