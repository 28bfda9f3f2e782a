"""No call goes to an endpoint of another chain than the configured one, or than the one the stored orders belong to."""

from functools import partial
from typing import Any

import orjson
import pytest

from db.connection import database
from orderd.engine.chain import RECHECK_SECONDS, CheckedTransport, ExpectedChain, check_chain, check_stored
from orderd.solana.pool_programs import Chain
from orderd.solana.rpc import RpcClient, RpcTransportError, RpcWrongChainError
from orderd.solana.transport import Response, TransportError

MAINNET = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
DEVNET = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
ONE, OTHER = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi", "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR"


class Endpoint:
    """Answers every call with its genesis hash, and records the calls."""

    def __init__(self, genesis_hash: str) -> None:
        self.genesis_hash: str | None = genesis_hash
        self.asked: list[str] = []

    def post(self, body: bytes) -> Response:
        request: dict[str, Any] = orjson.loads(body)
        self.asked.append(request["method"])
        if self.genesis_hash is None:
            raise TransportError("node: timed out")
        return Response(200, orjson.dumps({"id": request["id"], "result": self.genesis_hash}))

    def close(self) -> None: ...


@pytest.mark.parametrize("local", ["simnet", "localnet"])
def test_stored_orders_are_bound_to_their_chain(local: Chain) -> None:
    check_chain(local, ONE)
    check_chain(local, ONE)
    with pytest.raises(RpcWrongChainError, match=f"belong to another chain, with genesis hash {ONE}"):
        check_chain(local, OTHER)


@pytest.mark.parametrize(
    ("meant", "genesis_hash", "complaint"),
    [
        ("simnet", MAINNET, "chain is simnet, and the RPC endpoint leads to mainnet"),
        ("devnet", MAINNET, "chain is devnet, and the RPC endpoint leads to mainnet"),
        ("mainnet", DEVNET, "chain is mainnet, and the RPC endpoint leads to devnet"),
        ("localnet", MAINNET, "chain is localnet, and the RPC endpoint leads to mainnet"),
        ("mainnet", ONE, "chain is mainnet, and the RPC endpoint leads to a local chain"),
    ],
)
def test_an_endpoint_of_another_chain_is_refused_and_not_stored(meant: Any, genesis_hash: str, complaint: str) -> None:
    with pytest.raises(RpcWrongChainError, match=complaint):
        check_chain(meant, genesis_hash)
    assert database.execute_sql("SELECT count(*) FROM chain").fetchone() == (0,)


@pytest.mark.parametrize(
    ("begun", "genesis_hash", "meant", "complaint"),
    [
        ("simnet", ONE, "mainnet", "chain is mainnet, and the orders in the database belong to a local chain"),
        ("mainnet", MAINNET, "simnet", "chain is simnet, and the orders in the database belong to mainnet"),
        ("devnet", DEVNET, "mainnet", "chain is mainnet, and the orders in the database belong to devnet"),
    ],
)
def test_a_database_of_another_network_is_refused_without_the_endpoint(
    begun: Any, genesis_hash: str, meant: Any, complaint: str
) -> None:
    check_stored(meant)
    check_chain(begun, genesis_hash)
    check_stored(begun)
    with pytest.raises(RpcWrongChainError, match=complaint):
        check_stored(meant)


def test_no_call_is_sent_before_the_chain_is_checked_once() -> None:
    endpoint, seen = Endpoint(ONE), list[str]()
    rpc = RpcClient("", transport=CheckedTransport(endpoint, seen.append))
    endpoint.genesis_hash = None
    with pytest.raises(RpcTransportError):
        rpc.send_transaction(b"signed")
    assert endpoint.asked == ["getGenesisHash"]
    endpoint.genesis_hash = ONE
    for _ in range(2):
        rpc.call("getHealth")
    assert endpoint.asked == ["getGenesisHash", "getGenesisHash", "getHealth", "getHealth"]
    assert seen == [ONE]


def test_no_call_is_sent_to_the_wrong_chain() -> None:
    def refuse(_: str) -> None:
        raise RpcWrongChainError("no")

    endpoint = Endpoint(MAINNET)
    rpc = RpcClient("", transport=CheckedTransport(endpoint, refuse))
    (error,) = rpc.send_transactions([b"signed"])
    assert isinstance(error, RpcWrongChainError)
    with pytest.raises(RpcWrongChainError):
        rpc.get_slot()
    assert set(endpoint.asked) == {"getGenesisHash"}


def test_the_chain_is_checked_again_while_the_process_runs() -> None:
    """The provider switches the address to another cluster, and later back."""
    endpoint, now = Endpoint(ONE), [0.0]
    expected = ExpectedChain(partial(check_chain, "localnet"))
    rpc = RpcClient("", transport=CheckedTransport(endpoint, expected, clock=lambda: now[0]))
    rpc.call("getHealth")
    endpoint.genesis_hash = DEVNET
    now[0] += RECHECK_SECONDS
    for _ in range(2):
        (error,) = rpc.send_transactions([b"signed"])
        assert isinstance(error, RpcWrongChainError)
    assert "sendTransaction" not in endpoint.asked
    endpoint.genesis_hash = ONE
    rpc.call("getHealth")
    assert endpoint.asked == ["getGenesisHash", "getHealth", *["getGenesisHash"] * 3, "getHealth"]


def test_an_accepted_chain_is_recognised_without_postgres() -> None:
    checked = list[str]()
    expected = ExpectedChain(checked.append)
    for _ in range(2):
        expected(ONE)
    assert checked == [ONE]
