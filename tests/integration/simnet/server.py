"""A simnet in a separate process, and a plain JSON-RPC client for it."""

import base64
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.solana.programs import memo, system

SOL = 10**9
_numbers = count(1)
_BETWEEN_QUESTIONS = 0.002
"""Seconds. Polling without a pause would slow down the chain."""


class RpcFailureError(Exception):
    """An error object in an answer."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data: Any = error.get("data")


class Client:
    """JSON-RPC over one kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=20, verify=False
        )  # and no authorities to read: it is plain HTTP

    def close(self) -> None:
        self._http.close()

    def post(self, body: Any) -> httpx.Response:
        """Send JSON, or bytes unchanged."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._http.post("/", content=content, headers={"Content-Type": "application/json"})

    def call(self, method: str, *params: Any) -> Any:
        """The result. Raises RpcFailureError."""
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()
        if "error" in answer:
            raise RpcFailureError(answer["error"])
        return answer["result"]

    def value(self, method: str, *params: Any) -> Any:
        """The value of a result that carries its context."""
        return self.call(method, *params)["value"]

    def blockhash(self) -> Hash:
        latest = self.value("getLatestBlockhash", {"commitment": "confirmed"})
        return Hash.from_string(latest["blockhash"])

    def send(self, transaction: VersionedTransaction, **options: Any) -> str:
        signature: str = self.call("sendTransaction", encoded(transaction), {"encoding": "base64", **options})
        return signature

    def status(self, signature: str) -> dict[str, Any] | None:
        (status,) = self.value("getSignatureStatuses", [signature], {"searchTransactionHistory": True})
        return status  # type: ignore[no-any-return]

    def wait(self, signature: str, commitment: str = "confirmed", pause: float = _BETWEEN_QUESTIONS) -> dict[str, Any]:
        """Poll until the transaction has reached the commitment; the test's timeout limits the wait."""
        firm_enough = {"processed": 0, "confirmed": 1, "finalized": 2}
        while True:
            status = self.status(signature)
            if status and firm_enough[status["confirmationStatus"]] >= firm_enough[commitment]:
                return status
            time.sleep(pause)

    def wait_for_slots(self, slots: int, commitment: str = "processed") -> None:
        """Poll until this many more slots have passed."""
        due = self.call("getSlot", {"commitment": commitment}) + slots
        while self.call("getSlot", {"commitment": commitment}) < due:
            time.sleep(_BETWEEN_QUESTIONS)

    def fund(self, owner: Pubkey, lamports: int = 10 * SOL) -> None:
        self.wait(self.call("requestAirdrop", str(owner), lamports))

    def balance(self, owner: Pubkey, commitment: str = "confirmed") -> int:
        lamports: int = self.value("getBalance", str(owner), {"commitment": commitment})
        return lamports


def encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


def build(instructions: Sequence[Instruction], payer: Keypair, blockhash: Hash) -> VersionedTransaction:
    """A signed transaction; a numbered memo makes each one unique."""
    unique = memo.memo(f"{os.getpid()}.{next(_numbers)}")
    message = MessageV0.try_compile(payer.pubkey(), [*instructions, unique], [], blockhash)
    return VersionedTransaction(message, [payer])


def payment(payer: Keypair, to: Pubkey, lamports: int, blockhash: Hash) -> VersionedTransaction:
    return build([system.transfer(payer.pubkey(), to, lamports)], payer, blockhash)


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_the_test() -> None:
    """Kill the chain when the test process dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class StartFailedError(Exception):
    """The process ended before it listened; the message is its output."""


class Server:
    """``python -m orderd.simnet`` on a state directory; can be killed and restarted."""

    def __init__(self, state_dir: Path, *options: str) -> None:
        self.state_dir = state_dir
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.http_url = ""
        self.ws_url = ""

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    def start(self) -> None:
        """Start, and return once the chain listens."""
        command = [sys.executable, "-m", "orderd.simnet", "--state-dir", str(self.state_dir), *self._options]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=_die_with_the_test
        )
        stderr = self._process.stderr
        assert stderr is not None
        said = []
        for line in stderr:
            said.append(line)
            if '"simnet listens"' in line:
                break
        else:
            self._drain()
            raise StartFailedError("".join(said))
        address = json.loads((self.state_dir / "simnet.json").read_text())
        assert address["pid"] == self._process.pid
        self.http_url, self.ws_url = address["http_url"], address["ws_url"]

    @contextmanager
    def killed_at_an_event(self) -> Iterator[threading.Event]:
        """Another thread kills the server when the event is set; the block goes on until its connection breaks."""
        event = threading.Event()

        def kill() -> None:
            event.wait()
            self.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield event
        except httpx.TransportError:
            killer.join()

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self._drain()

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        self.process.terminate()
        self._drain()
        return self.process.returncode

    def _drain(self) -> None:
        self.stdout, self.stderr = self.process.communicate(timeout=30)


@contextmanager
def running(state_dir: Path, *options: str) -> Iterator[tuple[Server, Client]]:
    server = Server(state_dir, *options)
    server.start()
    client = Client(server.http_url)
    try:
        yield server, client
    finally:
        client.close()
        if server.process.poll() is None:
            server.stop()
