"""Methods of the daemon itself: its state, and the halt of trading."""

from typing import Protocol

from orderd.engine import halting
from orderd.gateway.access.authentication import Scope
from orderd.gateway.rpc.dispatch import Routes, RpcMethod
from orderd.gateway.streaming.session import Requester
from orderd.gateway.threads import DatabaseThreads
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.status import QueueMetrics, StatusResult


class StatusReport(Protocol):
    """The state of the daemon, in bounded time. ``queue`` raises OrderdError if Postgres does not answer."""

    async def queue(self) -> QueueMetrics: ...

    async def status(self) -> StatusResult: ...


class DaemonMethods:
    def __init__(self, report: StatusReport, threads: DatabaseThreads) -> None:
        """``threads`` are not used for orders, so that a halt is always possible."""
        self._report = report
        self._threads = threads

    def routes(self) -> Routes:
        return {
            Method.STATUS: RpcMethod(NoParams, StatusResult, Scope.READ, self.status),
            Method.HALT: RpcMethod(HaltParams, HaltResult, Scope.ADMIN, self.halt),
            Method.LIFT: RpcMethod(NoParams, LiftResult, Scope.ADMIN, self.lift),
        }

    async def status(self, caller: Requester, params: NoParams) -> StatusResult:  # noqa: ARG002
        """The state of the daemon and its services."""
        return await self._report.status()

    async def halt(self, caller: Requester, params: HaltParams) -> HaltResult:
        """Halt trading: nothing new is signed, and no new order is accepted."""
        return await self._threads.change("the halt", halting.halt, caller.principal.actor, params.reason)

    async def lift(self, caller: Requester, params: NoParams) -> LiftResult:  # noqa: ARG002
        """Lift a halt."""
        return await self._threads.change("the end of the halt", halting.lift, caller.principal.actor)

    async def queue(self) -> QueueMetrics:
        """Beside the lists that HTTP answers with."""
        return await self._report.queue()
