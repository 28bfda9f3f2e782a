"""A chain that answers immediately and executes nothing, to measure the engine alone.

Accounts come from a simnet without trades. A transaction is executed only once for each set of accounts and swaps:
others get the same result under their own signature, with the memo and the compute budget of the first. Every sent
transaction is finalized immediately. Like an older node, it accepts only version 0.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import orjson
import uvloop
from httptools import HttpRequestParser
from solders.signature import Signature
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed

from orderd.simnet.chain import Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.record import transaction_meta, ui_transaction
from orderd.simnet.rpc.dispatch import Dispatcher
from orderd.simnet.transaction import decode
from orderd.solana.transaction import TransactionVersion, version_of

SETTINGS: Final = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_POOL_MAX_AGE_MS": "100",
    "ORDERD_LOG_LEVEL": "warning",
    "ORDERD_RECONCILE_MINUTES": "0",
}
"""Settings of a measured daemon."""


@dataclass(frozen=True)
class NullChain:
    """The addresses and the process id of the chain."""

    url: str
    ws_url: str
    pid: int
    freeze: Callable[[], object]
    """Stops the slots."""

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a daemon that uses the chain."""
        return {"ORDERD_RPC_URL": self.url, "ORDERD_RPC_WS_URL": self.ws_url}


@contextmanager
def running_null_chain() -> Iterator[NullChain]:
    """Run the chain in a process during the block."""
    command = [sys.executable, "-m", "benchmarks.null_chain", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:  # the process ends when this is closed, also if this process dies
            url, ws_url = process.stdout.readline().decode().split()

            def freeze() -> None:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(b"freeze\n")
                process.stdin.flush()
                process.stdout.readline()

            yield NullChain(url, ws_url, process.pid, freeze)


class _Shape(NamedTuple):
    """What transactions with the same result have in common: the accounts, and all instructions after the memo."""

    keys: bytes
    swaps: bytes

    @classmethod
    def of(cls, raw: bytes) -> "_Shape":
        """The shape of a version 0 transaction of the engine: with one signature, and counts of one byte."""
        keys_end = 70 + 32 * raw[69]  # after the signature, the version and the header
        at = keys_end + 33  # after the blockhash and the number of instructions
        for _ in ("compute unit limit", "compute unit price", "memo"):
            at += 2 + raw[at + 1]
            at += 1 + raw[at]
        return cls(raw[70:keys_end], raw[at:])


class _Record(NamedTuple):
    """The answer of getTransaction before and after the signature."""

    before: bytes
    after: bytes


class Landings:
    """The RPC methods for transactions, which never change the simnet."""

    def __init__(self, chain: Chain, dispatcher: Dispatcher) -> None:
        self._bank = chain.bank
        self._dispatcher = dispatcher
        self._simulations: dict[_Shape, orjson.Fragment] = {}
        self._records: dict[_Shape, _Record] = {}
        self._sent: dict[str, tuple[int, _Record]] = {}
        self._waiting: dict[str, Callable[[int], None]] = {}
        self.methods: dict[str, Callable[[list[Any]], Any]] = {
            "simulateTransaction": self._simulate,
            "sendTransaction": self._send,
            "getSignatureStatuses": self._statuses,
            "getTransaction": self._transaction,
        }

    def watch(self, signature: str, notify: Callable[[int], None]) -> None:
        """Call ``notify`` with the slot of the transaction when it lands, or now if it has landed."""
        if (sent := self._sent.get(signature)) is None:
            self._waiting[signature] = notify
        else:
            notify(sent[0])

    def _simulate(self, params: list[Any]) -> Any:
        raw = b64decode(params[0])
        if version_of(raw) is not TransactionVersion.V0:
            refusal = {"err": "UnsupportedVersion", "logs": [], "unitsConsumed": 0}
            return {"context": {"slot": self._bank.open.slot}, "value": refusal}
        shape = _Shape.of(raw)
        if shape not in self._simulations:
            request = {"jsonrpc": "2.0", "id": 0, "method": "simulateTransaction", "params": params}
            result = orjson.loads(self._dispatcher.answer(orjson.dumps(request)))["result"]
            self._simulations[shape] = orjson.Fragment(orjson.dumps(result))
        return self._simulations[shape]

    def _send(self, params: list[Any]) -> str:
        raw = b64decode(params[0])
        shape = _Shape.of(raw)
        if shape not in self._records:
            self._records[shape] = self._executed(raw)
        signature, slot = str(Signature.from_bytes(raw[1:65])), self._bank.open.slot
        self._sent.setdefault(signature, (slot, self._records[shape]))
        if (notify := self._waiting.pop(signature, None)) is not None:
            notify(slot)
        return signature

    def _executed(self, raw: bytes) -> _Record:
        transaction = decode(raw)
        outcome = self._bank.simulate(transaction, self._bank.view(self._bank.open.slot), any_blockhash=True)
        record = {
            "transaction": ui_transaction(transaction, "json"),
            "meta": transaction_meta(transaction, outcome, self._bank.accounts.get),
            "version": transaction.version,
        }
        before, _, after = orjson.dumps(record).partition(str(transaction.signature).encode())
        return _Record(before, after)

    def _statuses(self, params: list[Any]) -> Any:
        found = [self._sent.get(signature) for signature in params[0]]
        return {"context": {"slot": self._bank.open.slot}, "value": [sent and _finalized(sent[0]) for sent in found]}

    def _transaction(self, params: list[Any]) -> Any:
        if (sent := self._sent.get(params[0])) is None:
            return None
        slot, record = sent
        head = b'{"slot":%d,"blockTime":%d,%b' % (slot, self._bank.open.time, record.before[1:])
        return orjson.Fragment(b"".join((head, params[0].encode(), record.after)))


def _finalized(slot: int) -> dict[str, Any]:
    return {
        "slot": slot,
        "confirmations": None,
        "err": None,
        "status": {"Ok": None},
        "confirmationStatus": "finalized",
    }


class _Http(asyncio.Protocol):
    """Answers each request immediately."""

    def __init__(self, landings: Landings, dispatcher: Dispatcher) -> None:
        self._methods = landings.methods
        self._dispatcher = dispatcher
        self._body = bytearray()
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        assert self._transport is not None
        request = orjson.loads(self._body)
        self._body.clear()
        answer = orjson.dumps([*map(self._answer, request)] if isinstance(request, list) else self._answer(request))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self._transport.write(head + answer)

    def _answer(self, request: dict[str, Any]) -> Any:
        method = self._methods.get(request["method"])
        if method is None:
            return orjson.Fragment(self._dispatcher.answer(orjson.dumps(request)))
        return {"jsonrpc": "2.0", "result": method(request["params"]), "id": request["id"]}


async def _listen(landings: Landings, connection: ServerConnection) -> None:
    """Serve the subscriptions of one connection. Accounts never change."""
    loop = asyncio.get_running_loop()
    numbers = count(1)
    notifications: asyncio.Queue[bytes] = asyncio.Queue()

    def notify(number: int, slot: int) -> None:
        result = {"context": {"slot": slot}, "value": {"err": None}}
        params = {"result": result, "subscription": number}
        notifications.put_nowait(orjson.dumps({"jsonrpc": "2.0", "method": "signatureNotification", "params": params}))

    async def send() -> None:
        while True:
            await connection.send(await notifications.get(), text=True)

    sending = loop.create_task(send())
    try:
        async for message in connection:
            request, number = orjson.loads(message), next(numbers)
            notifications.put_nowait(orjson.dumps({"jsonrpc": "2.0", "result": number, "id": request["id"]}))
            if request["method"] == "signatureSubscribe":
                landings.watch(request["params"][0], partial(notify, number))
    except ConnectionClosed:
        pass
    finally:
        sending.cancel()


async def _serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="null-chain-") as directory:
        chain = Chain(SimnetConfig(state_dir=Path(directory), market=False))
        slots = loop.create_task(chain.run())
        dispatcher = Dispatcher(chain)
        landings = Landings(chain, dispatcher)
        http = await loop.create_server(lambda: _Http(landings, dispatcher), "127.0.0.1", 0)
        async with serve_websocket(lambda each: _listen(landings, each), "127.0.0.1", 0, compression=None) as pubsub:
            print(f"http://{_address(http.sockets)} ws://{_address(pubsub.sockets)}", flush=True)
            if await asyncio.to_thread(sys.stdin.readline):
                chain.stop()
                await slots
                print("frozen", flush=True)
                await asyncio.to_thread(sys.stdin.read)
        http.close()
        chain.stop()
        await slots
        chain.close()


def _address(sockets: Iterable[socket.socket]) -> str:
    host, port = next(iter(sockets)).getsockname()[:2]
    return f"{host}:{port}"


if __name__ == "__main__":
    if sys.argv[1:] != ["--serve"]:
        raise SystemExit("this is a chain for other benchmarks; see: python -m benchmarks.engine")
    uvloop.run(_serve())
