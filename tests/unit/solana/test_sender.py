"""The sender splits requests to the size that nodes accept."""

from solders.signature import Signature

from orderd.solana.rpc import RpcClient
from orderd.solana.sender import Sender
from tests.unit.solana.node import Node

MAX_BYTES_PER_REQUEST = 50 * 1024
LARGEST_TRANSACTION = b"\x01" * 1232


def test_resends_of_many_transactions_are_split() -> None:
    node = Node(sendTransaction=lambda _: {"result": str(Signature.default())})
    sender = Sender(RpcClient("http://node", transport=node))
    assert sender.send([LARGEST_TRANSACTION] * 200) == [None] * 200
    assert max(map(len, node.requests)) <= MAX_BYTES_PER_REQUEST
