"""The websocket server: subscriptions to signatures, accounts, programs, logs and slots.

Source: agave ``rpc/src/rpc_pubsub.rs``.
"""

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import orjson
from solders.pubkey import Pubkey
from solders.signature import Signature
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from orderd.simnet.account import MISSING
from orderd.simnet.bank import Bank, Commitment
from orderd.simnet.block import Block, Executed, SealedBlock, Status
from orderd.simnet.genesis.lookup_tables import read
from orderd.simnet.ledger.ledger import Ledger
from orderd.simnet.rpc.accounts import encode_account, filters_of
from orderd.simnet.rpc.body import read_body
from orderd.simnet.rpc.protocol import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Json,
    NodeRpcError,
    Params,
    commitment,
    invalid_params,
    pubkey,
)
from orderd.simnet.rpc.subscriptions import Logs, NodeSubscription, ProgramAccounts, Subscriptions
from orderd.simnet.rpc.visitors import refusal
from orderd.simnet.transaction import Transaction

MAX_MESSAGE: Final = 64 * 1_024
_PING_SECONDS: Final = 20


class PubSub:
    """Serves subscriptions: the bank reports changes, and the subscribers are notified."""

    def __init__(self, bank: Bank, ledger: Ledger) -> None:
        self._bank = bank
        self._ledger = ledger
        self._subscriptions = Subscriptions()
        self._finalized = bank.levels().finalized
        self._server: Server | None = None
        self._methods: dict[str, Callable[[ServerConnection, Params], Json]] = {
            "signatureSubscribe": self._subscribe_signature,
            "accountSubscribe": self._subscribe_account,
            "programSubscribe": self._subscribe_program,
            "logsSubscribe": self._subscribe_logs,
            "slotSubscribe": self._subscribe_slot,
        }
        for method in list(self._methods):
            self._methods[method.replace("Subscribe", "Unsubscribe")] = self._unsubscribe
        bank.on_executed.append(self._executed)
        bank.on_replaced.append(self._replaced)
        bank.on_opened.append(self._opened)
        bank.on_confirmed.append(self._confirmed)

    async def start(self, listener: socket.socket) -> None:
        self._server = await serve(
            self._handle,
            sock=listener,
            process_request=_admit,
            compression=None,
            max_size=MAX_MESSAGE,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    # Requests

    async def _handle(self, connection: ServerConnection) -> None:
        try:
            with suppress(ConnectionClosed):  # the client is gone, so nothing is left to do
                async for message in connection:
                    await connection.send(orjson.dumps(self._answer(connection, message)).decode())
        finally:
            self._subscriptions.leave(connection)

    def _answer(self, connection: ServerConnection, message: str | bytes) -> dict[str, Any]:
        identity = None
        try:
            request = _parse(message)
            identity = request.get("id")
            method = self._method(request.get("method", ""))
            result = method(connection, Params(request.get("params")))
        except NodeRpcError as error:
            return {"jsonrpc": "2.0", "error": error.to_json(), "id": identity}
        return {"jsonrpc": "2.0", "result": result, "id": identity}

    def _method(self, name: str) -> Callable[[ServerConnection, Params], Json]:
        if name not in self._methods:
            raise NodeRpcError(METHOD_NOT_FOUND, "Method not found")
        return self._methods[name]

    def _subscribe_signature(self, connection: ServerConnection, params: Params) -> int:
        wanted, options = params.signature(0), params.options(1)
        subscription = self._subscriptions.add(connection, commitment(options.get("commitment")), wanted, options)
        status = self._bank.statuses.get(wanted) or self._ledger.status(wanted)
        if status is None or not self._bank.is_on_chain(status.slot):
            return subscription.number
        if status.slot <= self._bank.levels().slot(subscription.commitment):
            # Sent after the answer with the subscription's number.
            subscription.connection.loop.call_soon(self._signature_done, subscription, status)
        return subscription.number

    def _subscribe_account(self, connection: ServerConnection, params: Params) -> int:
        key, options = params.pubkey(0), params.options(1)
        return self._subscriptions.add(connection, commitment(options.get("commitment")), key, options).number

    def _subscribe_program(self, connection: ServerConnection, params: Params) -> int:
        target, options = ProgramAccounts(params.pubkey(0)), params.options(1)
        level, matches = commitment(options.get("commitment")), filters_of(options.get("filters"))
        return self._subscriptions.add(connection, level, target, options, matches).number

    def _subscribe_logs(self, connection: ServerConnection, params: Params) -> int:
        wanted, options = params.at(0), params.options(1)
        if wanted in ("all", "allWithVotes"):
            mentioned = None
        elif isinstance(wanted, dict) and isinstance(wanted.get("mentions"), list) and len(wanted["mentions"]) == 1:
            mentioned = pubkey(wanted["mentions"][0])
        else:
            raise invalid_params("Invalid Request: Only 1 address supported")
        level = commitment(options.get("commitment"))
        return self._subscriptions.add(connection, level, Logs(mentioned), options).number

    def _subscribe_slot(self, connection: ServerConnection, params: Params) -> int:  # noqa: ARG002
        return self._subscriptions.add(connection, Commitment.PROCESSED, None, {}).number

    def _unsubscribe(self, connection: ServerConnection, params: Params) -> bool:
        subscription = self._subscriptions.numbered(params.integer(0))
        if subscription is None or subscription.connection is not connection:
            raise NodeRpcError(INVALID_PARAMS, "Invalid subscription id.")
        self._subscriptions.remove(subscription)
        return True

    # Events of the chain

    def _signature_done(self, subscription: NodeSubscription, status: Status) -> None:
        if self._subscriptions.numbered(subscription.number) is None:
            return
        value = {"context": {"slot": status.slot}, "value": {"err": status.error}}
        subscription.notify("signatureNotification", value)
        self._subscriptions.remove(subscription)

    def _executed(self, slot: int, executed: Executed) -> None:
        transaction = executed.transaction
        self._notify_signature(Commitment.PROCESSED, transaction.signature)
        if self._subscriptions.has(Commitment.PROCESSED, Logs):
            error = executed.outcome.error
            outcome = {"err": None if error is None else error.to_json(), "logs": list(executed.outcome.logs)}
            self._notify_logs(Commitment.PROCESSED, slot, transaction, outcome)
        self._replaced(slot, executed.outcome.stored(transaction))

    def _replaced(self, slot: int, accounts: Iterable[Pubkey]) -> None:
        for key in accounts:
            self._notify_account(Commitment.PROCESSED, key, slot)

    def _opened(self, block: Block) -> None:
        slot = {"parent": block.parent_slot, "root": self._bank.levels().finalized, "slot": block.slot}
        for subscription in self._subscriptions.to(Commitment.PROCESSED, None):
            subscription.notify("slotNotification", slot)

    def _confirmed(self, block: SealedBlock) -> None:
        self._notify_block(Commitment.CONFIRMED, block)
        finalized = self._bank.levels().finalized
        for slot in range(self._finalized + 1, finalized + 1):
            rooted = self._bank.block(slot)
            if rooted is not None:
                self._notify_block(Commitment.FINALIZED, rooted)
        self._finalized = finalized

    # Notifications

    def _notify_block(self, level: Commitment, block: SealedBlock) -> None:
        if not self._subscriptions:
            return
        for signature in block.signatures:
            self._notify_signature(level, signature)
        for key in block.changed:
            self._notify_account(level, key, block.slot)
        if self._subscriptions.has(level, Logs):
            for stored in self._ledger.transactions_in(block.slot):
                meta = orjson.loads(stored.meta)
                outcome = {"err": meta["err"], "logs": meta["logMessages"]}
                self._notify_logs(level, block.slot, read(stored.raw), outcome)

    def _notify_signature(self, level: Commitment, signature: Signature) -> None:
        for subscription in self._subscriptions.to(level, signature):
            self._signature_done(subscription, self._bank.statuses[signature])

    def _notify_account(self, level: Commitment, key: Pubkey, slot: int) -> None:
        to_it, to_programs = self._subscriptions.to(level, key), self._subscriptions.has(level, ProgramAccounts)
        if not to_it and not to_programs:
            return
        view = self._bank.view(slot)
        account = view.account(key) or MISSING
        for subscription in to_it:
            value = encode_account(view, account, subscription.options)
            subscription.notify("accountNotification", {"context": {"slot": slot}, "value": value})
        for subscription in self._subscriptions.to(level, ProgramAccounts(account.owner)):
            if all(match(account.data) for match in subscription.matches):
                value = {"pubkey": str(key), "account": encode_account(view, account, subscription.options)}
                subscription.notify("programNotification", {"context": {"slot": slot}, "value": value})

    def _notify_logs(self, level: Commitment, slot: int, transaction: Transaction, outcome: dict[str, Any]) -> None:
        result = {"context": {"slot": slot}, "value": {"signature": str(transaction.signature), **outcome}}
        for mentioned in (None, *transaction.keys):
            for subscription in self._subscriptions.to(level, Logs(mentioned)):
                subscription.notify("logsNotification", result)


def _parse(message: str | bytes) -> dict[str, Any]:
    request = read_body(message if isinstance(message, bytes) else message.encode())
    if not isinstance(request, dict) or not isinstance(request.get("method", ""), str):
        raise NodeRpcError(INVALID_REQUEST, "Invalid request")
    return request


def _admit(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse web pages of other origins."""
    refused = refusal(request.headers.get_all("Host"), request.headers.get_all("Origin"))
    return None if refused is None else connection.respond(*refused)
