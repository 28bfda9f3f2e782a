"""A trader that uses orderctl's client and submits each order until it is acknowledged."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, RefusedError, UnreachableError
from orderd.domain.events import OrderEvent, Unknown
from orderd.domain.order import TERMINAL, EventKind, Floor
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams
from orderd.wire.order_detail import AttemptView, FailureView, OrderDetail
from orderd.wire.orders import CancelResult, GetParams, ListParams, ListResult, OrderView
from orderd.wire.quotes import SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from orderd.wire.submissions import AmendParams, AmendResult, SubmitParams, SubmitResult
from orderd.wire.subscriptions import Event

_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Story:
    """An order that has ended: the events that a subscriber received, and what the daemon has stored about it."""

    events: Sequence[OrderEvent]
    stored: OrderDetail

    @property
    def id(self) -> UUID:
        return self.stored.order.id

    @property
    def order(self) -> OrderView:
        return self.stored.order

    @property
    def attempts(self) -> Sequence[AttemptView]:
        return self.stored.attempts

    @property
    def failures(self) -> Sequence[FailureView]:
        return self.stored.failures


def order(
    token_in: str, token_out: str, amount_in: str, slippage: str = "2", floor: Floor | None = None
) -> SubmitParams:
    return SubmitParams(
        token_in=token_in,
        token_out=token_out,
        amount_in=amount_in,
        slippage=slippage,
        floor=floor,
        client_order_id=uuid4().hex,
    )


class Trader:
    """Not thread-safe. ``acknowledged`` maps client order ids to the ids that the daemon answered with."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acknowledged: dict[str, UUID] = {}

    def submit(self, params: SubmitParams) -> UUID:
        """Submit until the daemon acknowledges.

        Raises RefusedError if the daemon refuses the order, and the last error if the daemon stays unreachable.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.call(Method.ORDER_SUBMIT, params, SubmitResult)
            except (RefusedError, UnreachableError, AnswerLostError) as error:
                if time.monotonic() > deadline or (isinstance(error, RefusedError) and not error.problem.retryable):
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                self.acknowledged[params.client_order_id] = answer.order.id
                return answer.order.id

    def cancel(self, order_id: UUID) -> OrderView:
        """Raises RefusedError if it is too late."""
        return self._client.call(Method.ORDER_CANCEL, GetParams(order=str(order_id)), CancelResult).order

    def amend(self, order_id: UUID, **terms: str | bool) -> OrderView:
        """Raises RefusedError if it is too late."""
        amendment = AmendParams.model_validate({"order": str(order_id), **terms})
        return self._client.call(Method.ORDER_AMEND, amendment, AmendResult).order

    def halt(self, reason: str) -> None:
        """Stop the daemon from signing new transactions."""
        self._client.call(Method.HALT, HaltParams(reason=reason), HaltResult)

    def halts(self) -> list[str]:
        """The causes of the halts in force."""
        return [halt.cause for halt in self._client.call(Method.STATUS, NoParams(), StatusResult).halts]

    def lift(self) -> int:
        """End all halts; returns their number."""
        return len(self._client.call(Method.LIFT, NoParams(), LiftResult).lifted)

    def follow(self, order_id: UUID, seconds: float) -> list[OrderEvent]:
        """The order's events up to the terminal one, across reconnections. Raises FollowTimeoutError."""
        events: list[OrderEvent] = []
        try:
            for update in self._client.follow(str(order_id), seconds=seconds):
                if isinstance(update, Event):
                    events.append(update.event)
                    if update.event.status in TERMINAL:
                        break
        finally:
            self._client.close()  # ends the subscription
        return events

    def wait_for_event(self, order_id: UUID, kind: EventKind, seconds: float) -> OrderEvent:
        """Wait for the first event of this kind. Raises FollowTimeoutError."""
        try:
            for update in self._client.follow(str(order_id), seconds=seconds):
                if isinstance(update, Event) and update.event.data.kind == kind:
                    return update.event
        finally:
            self._client.close()  # ends the subscription
        raise AssertionError(f"{order_id} ended without an event {kind}")

    def detail(self, order_id: UUID) -> OrderDetail:
        return self._client.call(Method.ORDER_GET, GetParams(order=str(order_id)), OrderDetail)

    def would_fill(self, order_id: UUID) -> bool:
        """True if the order could be executed now; False if it could not, or if the daemon does not know."""
        try:
            asked = GetParams(order=str(order_id))
            fill = self._client.call(Method.ORDER_SIMULATE_FILL, asked, SimulatedFill)
        except RefusedError:
            return False
        return fill.would == "execute" and fill.succeeds

    def balances(self) -> tuple[Balance, ...]:
        """The balances of the wallet."""
        return self._client.call(Method.BALANCES, NoParams(), BalancesResult).balances

    def orders(self) -> list[OrderView]:
        """All orders, the newest first."""
        found: list[OrderView] = []
        cursor: str | None = None
        while True:
            page = self._client.call(Method.ORDERS_LIST, ListParams(limit=500, cursor=cursor), ListResult)
            found += page.orders
            cursor = page.next_cursor
            if cursor is None:
                return found

    def end_all(
        self, seconds: float, to_cancel: Callable[[Sequence[OrderView]], Iterable[OrderView]], *, pause: float = 1.0
    ) -> None:
        """Cancel the orders that ``to_cancel`` selects until no order is active, across reconnections."""
        deadline, active = time.monotonic() + seconds, list[OrderView]()
        while True:
            assert time.monotonic() < deadline, [(order.id, order.kind, order.status) for order in active[:5]]
            with suppress(UnreachableError, AnswerLostError, RefusedError):
                active = [order for order in self.orders() if order.status not in TERMINAL]
                if not active:
                    return
                for order in to_cancel(active):
                    with suppress(RefusedError):
                        self.cancel(order.id)
            time.sleep(pause)  # no event says that no order is active

    def follow_all_to_end_or_unknown(self, seconds: float) -> list[UUID]:
        """Follow each acknowledged order until it ends or its outcome is unknown; returns the latter."""
        deadline = time.monotonic() + seconds
        unknown = []
        for order_id in self.acknowledged.values():
            try:
                for update in self._client.follow(str(order_id), seconds=deadline - time.monotonic()):
                    if isinstance(update, Event) and isinstance(update.event.data, Unknown):
                        unknown.append(order_id)
                        break
            finally:
                self._client.close()
        return unknown

    def follow_all_to_end(self, seconds: float) -> list[Story]:
        """Follow each acknowledged order to its end, within ``seconds`` in total. Raises FollowTimeoutError."""
        deadline = time.monotonic() + seconds
        followed = {
            order_id: self.follow(order_id, deadline - time.monotonic()) for order_id in self.acknowledged.values()
        }
        return [Story(events, self.detail(order_id)) for order_id, events in followed.items()]

    def submit_all(self, orders: Sequence[SubmitParams]) -> None:
        for params in orders:
            self.submit(params)


@contextmanager
def trading(url: str) -> Iterator[Trader]:
    with Client(Settings(url=url)) as client:
        yield Trader(client)
