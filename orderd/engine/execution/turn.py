"""A batch of orders, one turn of a worker: claim, route, build, sign, store, send. Settlement handles the outcome.

At-most-once depends on the sequence of the last three: the signed bytes are stored under the order's claim before they
are sent, so Postgres knows every transaction.

Orders are routed one after another; requests to the node and to Postgres are made once for all orders. An order that
cannot go on fails alone. A single order is a batch of one.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog

from db import families, journal
from db.connection import database
from db.journal import Change, Moved, NewAttempt
from db.models import Order
from db.terms import terms_of
from db.validity import expiry
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Submitted
from orderd.domain.memo import Memo
from orderd.engine import halting
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder, SignedAttempt
from orderd.engine.execution.mint_decimals import MintDecimals
from orderd.engine.execution.preparation import Preparation
from orderd.engine.execution.rerouting import Rerouting
from orderd.engine.execution.routed import OrderInTurn, RoutedOrder, live_attempt
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.execution.wallet_funds import Promised
from orderd.engine.failure import AttemptFailedError, LeaseLostError, NotStartedError
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.routing.floor import request_of
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.offers import check_offer, offer_of
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.settlement.live import LiveAttempts
from orderd.solana.sender import Sender

_ROUTING_SECONDS: Final = 0.02
"""CPU seconds for routing a batch; then the orders routed so far are signed, stored and sent."""
_WAITING_SECONDS: Final = 0.5
"""The same limit in wall time, because other threads compute too, and a node may hang."""
log = structlog.get_logger(__name__)


class Execution:
    """Works orders, from any number of threads. A turn ends when the transactions have been sent once."""

    def __init__(
        self,
        router: Router,
        builder: Builder,
        sender: Sender,
        live: LiveAttempts,
        publisher: Publisher,
        leases: Leases,
        installation: bytes,
        markets: NewMarkets,
        decimals: MintDecimals,
        check_clock: Callable[[], object] = lambda: None,
        *,
        preparation: Preparation | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """``installation`` is part of the memos. ``check_clock`` is as in ``Dispatch``. ``preparation`` is shared with
        the queue."""
        self._router = router
        self._builder = builder
        self._sender = sender
        self._live = live
        self._publisher = publisher
        self._leases = leases
        self._installation = installation
        self._markets = markets
        self._decimals = decimals
        self._check_clock = check_clock
        self._preparation = preparation or Preparation()
        self._clock = clock

    def run(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Exception]:
        """Execute these orders up to sending. Returns the errors of those that were not sent.

        NotStartedError for one that could not be claimed, AttemptFailedError if the attempt has failed before anything
        was signed, LeaseLostError if the claim was lost in the middle; any other exception is unforeseen.
        """
        kept = dict[UUID, Exception]()
        with self._preparation.held() as prepared:
            with database.connection_context():
                claimed = journal.claim(order_ids, self._leases.owner, self._leases.seconds)
            self._publisher.publish(claimed)
            held = [moved.order.id for moved in claimed]
            for order_id in set(order_ids).difference(held):
                kept[order_id] = NotStartedError("it is not due, another worker has it, or it has ended")
            with self._leases.holding(held):
                line = deque(self._work_on(moved.order) for moved in claimed)
                promised = Promised()
                while line:
                    routed = self._route_some(line, kept, prepared)
                    self._submit(self._sign(routed, promised, line, kept), kept)
        return kept

    def _work_on(self, order: Order) -> OrderInTurn:
        terms = terms_of(order).in_try(order.failures)
        return OrderInTurn(order, terms, request_of(terms), Rerouting(self._builder.fits, self._leases.seconds))

    # Routing

    def _route_some(
        self, line: "deque[OrderInTurn]", kept: dict[UUID, Exception], prepared: Callable[[], None]
    ) -> list[RoutedOrder]:
        """Route orders from the head of the line within the time limit; those whose pools need a look-up come last, one
        at a time.

        ``prepared`` is called when all orders are routed that need no look-up.
        """
        found = self._pools_for(line)
        ready = [work for work in line if self._router.has_pools(work.request, found)]
        if not ready:
            prepared()
        until, latest = self._clock() + _ROUTING_SECONDS, time.monotonic() + _WAITING_SECONDS
        routed = list[RoutedOrder]()
        for work in ready or [line[0]]:
            if routed and (self._clock() >= until or time.monotonic() >= latest):
                break
            line.remove(work)
            try:
                routed.append(self._route(work, found if ready else None))
            except Exception as error:  # noqa: BLE001  (one order's trouble is not the others')
                _keep(kept, work.order, error)
        prepared()
        return routed

    def _pools_for(self, line: Iterable[OrderInTurn]) -> Mapping[Pair, Answers]:
        try:
            return self._router.pools_for([work.request for work in line])
        except Exception as error:
            # Each order then makes its own request, and gets the error.
            log.exception("pools of a batch not known", action="pools_failed", error=str(error))
            return {}

    def _route(self, work: OrderInTurn, found: Mapping[Pair, Answers] | None) -> RoutedOrder:
        order, terms = work.order, work.terms
        with work.others.routing():
            decision = self._router.route(
                work.request, terms.slippage_bps, work.others.fits, found, preferred=self._markets.preferred(terms)
            )
        offer = offer_of(terms, decision, order.min_amount_out, order.max_amount_in)
        check_offer(terms, decision.route, offer)
        self._decimals.check(terms)
        self._markets.check(terms, decision)
        return RoutedOrder(
            work, SwapPlan(decision.route, offer.limit, terms.use_wrapped, terms.token_in), offer, decision
        )

    # Signing

    def _sign(
        self, routed: Sequence[RoutedOrder], promised: Promised, line: "deque[OrderInTurn]", kept: dict[UUID, Exception]
    ) -> list[tuple[RoutedOrder, SignedAttempt]]:
        """Sign the routed orders. Refused ones go back in line, and take another route while their lease lasts."""
        if not routed:
            return []
        plans = [(each.plan, self._memo(each.work.order)) for each in routed]
        answers = self._builder.sign(plans, promised)
        signed, others = list[tuple[RoutedOrder, SignedAttempt]](), list[tuple[RoutedOrder, Exception]]()
        for each, answer in zip(routed, answers, strict=True):
            if isinstance(answer, Exception):
                others.append((each, answer))
            else:
                signed.append((each, answer))
        self._put_back(others, line, kept)
        return signed

    def _memo(self, order: Order) -> str:
        assert order.memo_tag is not None, "every order has one that has not ended"
        return Memo(order.id, order.failures + 1, bytes(order.memo_tag), self._installation).text

    def _put_back(
        self, refused: Sequence[tuple[RoutedOrder, Exception]], line: "deque[OrderInTurn]", kept: dict[UUID, Exception]
    ) -> None:
        """Store the refused routes, because the next event comes after them, and the floor that they set stays."""
        changes = [Change(each.work.order.id, each.fact, each.work.order.version, each.columns) for each, _ in refused]
        for (each, error), written in zip(refused, self._write(changes), strict=True):
            each.log()
            work = each.work
            if not isinstance(written, Moved):
                _keep(kept, work.order, written)
                continue
            work.order = written.order
            if not isinstance(error, RouteRefusedError):
                _keep(kept, work.order, error)
                continue
            try:
                work.others.refused(error)
            except OrderdError as last:
                _keep(kept, work.order, last)
            else:
                line.append(work)

    # Storing, then sending

    def _submit(self, signed: Sequence[tuple[RoutedOrder, SignedAttempt]], kept: dict[UUID, Exception]) -> None:
        attempts = [each.attempt(answer) for each, answer in signed]
        changes = [
            Change(
                each.work.order.id,
                Submitted(
                    attempt=attempt.number,
                    signature=attempt.signature,
                    last_valid_block_height=attempt.last_valid_block_height,
                ),
                each.work.order.version,
                each.columns | {"signature": attempt.signature},
                before=each.fact,
                valid=True,
                new_attempt=attempt,
            )
            for (each, _), attempt in zip(signed, attempts, strict=True)
        ]
        stored = list[tuple[UUID, NewAttempt]]()
        for (each, _), attempt, written in zip(signed, attempts, self._write(changes), strict=True):
            if isinstance(written, Moved):
                # From here on the transaction may land: no error below proves the end of the attempt.
                self._live.track(live_attempt(written.order, attempt))
                stored.append((written.order.id, attempt))
            elif families.is_busy(written):
                busy = "another order of its family has been signed, and has not ended for good"
                _keep(kept, each.work.order, OrderdError(ErrorCode.ORDER_FAMILY_BUSY, busy))
            elif isinstance(written, LeaseLostError) and (halt := self._halt()) is not None:
                _keep(kept, each.work.order, halt)
            else:
                self._expire(each.work.order)
                _keep(kept, each.work.order, written)
        self._send(stored)
        for each, _ in signed:
            each.log()

    def _halt(self) -> OrderdError | None:
        """The halt that may have prevented storing a signature; None if there is none."""
        with database.connection_context():
            return halting.current()

    def _expire(self, order: Order) -> None:
        """End an order whose claim could not write, if that is because it is no longer valid."""
        if order.valid_until is not None:
            with database.connection_context():
                self._check_clock()
                self._publisher.publish(journal.apply([expiry(order)]))

    def _write(self, changes: Sequence[Change]) -> list[Moved | Exception]:
        """The result of each change: LeaseLostError if another process has the order, or the database's error."""
        if not changes:
            return []
        with database.connection_context():
            written = journal.apply_each(changes)
        self._publisher.publish([moved for moved in written if isinstance(moved, Moved)])
        return [
            LeaseLostError(f"order {change.order_id} was taken from claim {change.version}") if moved is None else moved
            for change, moved in zip(changes, written, strict=True)
        ]

    def _send(self, stored: Sequence[tuple[UUID, NewAttempt]]) -> None:
        self._live.watch([attempt.signature for _, attempt in stored])
        answers = self._sender.send([attempt.signed_bytes for _, attempt in stored])
        for (order_id, _), error in zip(stored, answers, strict=True):
            if error is not None:
                log.info("first send refused", action="send_refused", order_id=str(order_id), error=str(error))


def _keep(kept: dict[UUID, Exception], order: Order, error: Exception) -> None:
    kept[order.id] = AttemptFailedError(order, error) if isinstance(error, OrderdError) else error
