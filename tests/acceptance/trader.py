"""A trader who uses orderctl's client and does not give up: what is not acknowledged is submitted again."""

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
from orderd.wire.orders import CancelResult, GetParams, ListParams, ListResult, OrderView, SubmitParams, SubmitResult
from orderd.wire.quotes import SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from orderd.wire.subscriptions import Event

_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Story:
    """An order that has ended: the events that a follower was sent, and all that the daemon has stored of it."""

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
    """For one thread. ``acknowledged`` are the ids that the daemon answered with, by client order id."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acknowledged: dict[str, UUID] = {}

    def submit(self, params: SubmitParams) -> UUID:
        """Submit until the daemon acknowledges.

        Raises RefusedError if it will not have the order, and the last error when it stays away.
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

    def halt(self, reason: str) -> None:
        """Let nothing new be signed."""
        self._client.call(Method.HALT, HaltParams(reason=reason), HaltResult)

    def halts(self) -> list[str]:
        """What keeps anything new from being signed."""
        return [halt.cause for halt in self._client.call(Method.STATUS, NoParams(), StatusResult).halts]

    def lift(self) -> int:
        """Let trading go on; how many halts have been ended by that."""
        return len(self._client.call(Method.LIFT, NoParams(), LiftResult).lifted)

    def follow(self, order_id: UUID, seconds: float) -> list[OrderEvent]:
        """Its events up to the terminal one, through lost connections. Raises FollowTimeoutError."""
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

    def see(self, order_id: UUID, kind: EventKind, seconds: float) -> OrderEvent:
        """The first event of this kind. Raises FollowTimeoutError."""
        try:
            for update in self._client.follow(str(order_id), seconds=seconds):
                if isinstance(update, Event) and update.event.data.kind == kind:
                    return update.event
        finally:
            self._client.close()  # ends the subscription
        raise AssertionError(f"{order_id} has ended, and was never {kind}")

    def detail(self, order_id: UUID) -> OrderDetail:
        return self._client.call(Method.ORDER_GET, GetParams(order=str(order_id)), OrderDetail)

    def would_fill(self, order_id: UUID) -> bool:
        """Whether the order could be executed in this moment. False if that cannot be told."""
        try:
            asked = GetParams(order=str(order_id))
            fill = self._client.call(Method.ORDER_SIMULATE_FILL, asked, SimulatedFill)
        except RefusedError:
            return False
        return fill.would == "execute" and fill.succeeds

    def balances(self) -> tuple[Balance, ...]:
        """What the wallet holds."""
        return self._client.call(Method.BALANCES, NoParams(), BalancesResult).balances

    def orders(self) -> list[OrderView]:
        """All there are, the newest first."""
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
        """Cancel what ``to_cancel`` chooses of the active orders until there are none, through lost connections."""
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
            time.sleep(pause)  # not a wait for an event: what is looked for is that nothing is left

    def see_all_end_or_unknown(self, seconds: float) -> list[UUID]:
        """Follow each acknowledged order to its end, or until nobody can tell it; those whose end is unknown."""
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

    def see_all_end(self, seconds: float) -> list[Story]:
        """Follow each acknowledged order to its end, within ``seconds`` for all. Raises FollowTimeoutError."""
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
