"""A chain whose slots the test produces, with its JSON-RPC but without a network: nothing happens by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.simnet.actors import TRADERS
from orderd.simnet.chain import Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.faults import Faults
from orderd.simnet.rpc.dispatch import Dispatcher
from tests.integration.simnet.server import SOL, RpcFailureError, encoded, payment


class Stepped:
    """The chain of a state directory."""

    payer = TRADERS[0]

    def __init__(self, state_dir: Path, **faults: Any) -> None:
        config = SimnetConfig(state_dir=state_dir, market=False, faults=Faults.model_validate(faults))
        self.chain = Chain(config)
        self.bank = self.chain.bank
        self.dispatcher = Dispatcher(self.chain)

    def make_slots(self, count: int = 1) -> None:
        """Seal this many blocks, each durable and confirmed at once."""
        for _ in range(count):
            self.chain._seal()
            self.chain._announce_open()
            self.make_durable()

    def make_durable(self) -> None:
        for block in list(self.chain._sealed):
            self.chain._write(block)
            self.chain._sealed.remove(block)
            self.bank.confirm(block)

    def answers(self, *requests: tuple[Any, ...]) -> list[Any]:
        """The results of a batch."""
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, *params) in enumerate(requests)
        ]
        return [answer["result"] for answer in orjson.loads(self.dispatcher.answer(orjson.dumps(batch)))]

    def call(self, method: str, *params: Any) -> Any:
        """The result. Raises RpcFailureError."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = orjson.loads(self.dispatcher.answer(orjson.dumps(request)))
        if "error" in answer:
            raise RpcFailureError(answer["error"])
        return answer["result"]

    def answered_by(self, view: str, **knobs: Any) -> None:
        """Let a node of this kind answer from now on."""
        self.call("simnet_setFaults", {"nodes": "pool", "views": {view: 1}, **knobs})

    def payment(
        self, shop: Pubkey, blockhash: Hash | None = None, payer: Keypair | None = None
    ) -> VersionedTransaction:
        """A payment of 0.01 SOL with the newest blockhash."""
        return payment(payer or self.payer, shop, SOL // 100, blockhash or self.bank.open.parent)

    def send(self, transaction: VersionedTransaction) -> str:
        options = {"encoding": "base64", "skipPreflight": True}
        signature: str = self.call("sendTransaction", encoded(transaction), options)
        return signature

    def pay(self, shop: Pubkey) -> str:
        return self.send(self.payment(shop))

    def status(self, signature: str, *, search: bool = False) -> Any:
        (status,) = self.call("getSignatureStatuses", [signature], {"searchTransactionHistory": search})["value"]
        return status


@contextmanager
def stepped(state_dir: Path, **faults: Any) -> Iterator[Stepped]:
    chain = Stepped(state_dir, **faults)
    try:
        yield chain
    finally:
        chain.chain.close()
