"""The faucet's money for a new wallet on the local chain, when the chain answers with errors."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import OrderdError
from orderd.process.wallet import fund_on_simnet
from orderd.solana.rpc import RpcClient
from tests.unit.solana.node import Node

OWNER = Pubkey.new_unique()
ERROR = {"error": {"code": -32603, "message": "upstream"}}


class Faucet:
    """A chain that answers requests for SOL with ``errors``, then with the money."""

    def __init__(self, errors: Iterator[dict[str, Any]]) -> None:
        self._errors = errors
        self._held = {"SOL": False, "USDC": False}
        self.rpc = RpcClient(
            "http://chain",
            transport=Node(
                requestAirdrop=lambda _: next(self._errors, None) or self._give("SOL"),
                simnet_mintTokens=lambda _: self._give("USDC"),
                getBalance=lambda _: _at_slot(int(self._held["SOL"])),
                getTokenAccountsByOwner=lambda _: _at_slot([_account()] if self._held["USDC"] else []),
            ),
        )

    def _give(self, token: str) -> dict[str, Any]:
        self._held[token] = True
        return {"result": str(Signature.default())}


def _at_slot(value: Any) -> dict[str, Any]:
    return {"result": {"context": {"slot": 7}, "value": value}}


def _account() -> dict[str, Any]:
    account = {"data": ["", "base64"], "owner": str(Pubkey.default()), "lamports": 1, "executable": False}
    return {"pubkey": str(Pubkey.new_unique()), "account": account}


def test_a_single_error_answer_is_tolerated() -> None:
    assert fund_on_simnet(Faucet(iter([ERROR])).rpc, OWNER) == ["1000 SOL", "100000 USDC"]


def test_a_chain_that_refuses_again_is_reported() -> None:
    faucet = Faucet(repeat(ERROR))
    with pytest.raises(OrderdError, match="could not be funded: -32603: upstream"):
        fund_on_simnet(faucet.rpc, OWNER)
