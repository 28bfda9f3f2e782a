"""Answers a request: parsing, batches, method lookup, errors."""

from collections.abc import Callable
from typing import Any, Final

import orjson
import structlog

from orderd.domain.pool_kind import VenueName
from orderd.simnet.chain import Chain
from orderd.simnet.rpc.accounts import Accounts
from orderd.simnet.rpc.body import read_body
from orderd.simnet.rpc.cluster import Cluster
from orderd.simnet.rpc.faucet import Faucet
from orderd.simnet.rpc.history import History
from orderd.simnet.rpc.launches import Launches
from orderd.simnet.rpc.nodes import NodePool
from orderd.simnet.rpc.protocol import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Json,
    Node,
    NodeRpcError,
    Params,
)
from orderd.simnet.rpc.transactions import Transactions
from orderd.simnet.rpc.trials import Trials

_log: Final = structlog.get_logger(__name__)

Method = Callable[[Node, Params], Any]


class Dispatcher:
    """All methods of the HTTP side. One node answers a request or a batch; in a pool, each request of a batch has its
    own node."""

    def __init__(self, chain: Chain) -> None:
        bank = chain.bank
        self._pool = NodePool(bank, chain.dice)
        accounts = self._accounts = Accounts(chain.config.faults.venue_outage)
        cluster = Cluster(str(chain.genesis_hash))
        history = History(chain.ledger)
        transactions = Transactions(bank, chain.ledger, chain.mempool, chain.dice, chain.config.newest_version)
        trials = Trials(chain)
        faucet = Faucet(bank)
        launches = Launches(bank)
        self._methods: dict[str, Method] = {
            "getAccountInfo": accounts.get_account_info,
            "getBalance": accounts.get_balance,
            "getMultipleAccounts": accounts.get_multiple_accounts,
            "getProgramAccounts": accounts.get_program_accounts,
            "getTokenAccountBalance": accounts.get_token_account_balance,
            "getTokenAccountsByOwner": accounts.get_token_accounts_by_owner,
            "getTokenLargestAccounts": accounts.get_token_largest_accounts,
            "getTokenSupply": accounts.get_token_supply,
            "getBlockHeight": cluster.get_block_height,
            "getEpochInfo": cluster.get_epoch_info,
            "getGenesisHash": cluster.get_genesis_hash,
            "getHealth": cluster.get_health,
            "getIdentity": cluster.get_identity,
            "getLatestBlockhash": cluster.get_latest_blockhash,
            "getMinimumBalanceForRentExemption": cluster.get_minimum_balance_for_rent_exemption,
            "getRecentPrioritizationFees": cluster.get_recent_prioritization_fees,
            "getSlot": cluster.get_slot,
            "getTransactionCount": cluster.get_transaction_count,
            "getVersion": cluster.get_version,
            "isBlockhashValid": cluster.is_blockhash_valid,
            "getBlock": history.get_block,
            "getBlocks": history.get_blocks,
            "getBlockTime": history.get_block_time,
            "getFirstAvailableBlock": history.get_first_available_block,
            "getSignaturesForAddress": history.get_signatures_for_address,
            "getTransaction": history.get_transaction,
            "getFeeForMessage": transactions.get_fee_for_message,
            "getSignatureStatuses": transactions.get_signature_statuses,
            "sendTransaction": transactions.send_transaction,
            "simulateTransaction": transactions.simulate_transaction,
            "requestAirdrop": faucet.request_airdrop,
            "simnet_mintTokens": faucet.mint_tokens,
            "simnet_createMint": launches.create_mint,
            "simnet_setPool": launches.set_pool,
            "simnet_fork": trials.fork,
            "simnet_setFaults": trials.set_faults,
            "simnet_setPrices": trials.set_prices,
        }

    def answer_and_venues(self, body: bytes) -> tuple[bytes, frozenset[VenueName]]:
        """The result of ``answer``, and the venues whose accounts were read for it."""
        self._accounts.venues_read.clear()
        return self.answer(body), frozenset(self._accounts.venues_read)

    def answer(self, body: bytes) -> bytes:
        """Answer a request, or a batch in the order of its requests."""
        try:
            request = read_body(body)
        except NodeRpcError as error:
            return orjson.dumps(_failure(None, error))
        if not isinstance(request, list):
            return orjson.dumps(self._call(self._pool.node(), request))
        if not request:
            return orjson.dumps(_failure(None, NodeRpcError(INVALID_REQUEST, "Invalid request")))
        return orjson.dumps(list(map(self._call, self._pool.nodes(len(request)), request)))

    def _call(self, node: Node, request: Json) -> dict[str, Any]:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failure(None, NodeRpcError(INVALID_REQUEST, "Invalid request"))
        identity = request.get("id")
        method = self._methods.get(request["method"])
        if method is None:
            return _failure(identity, NodeRpcError(METHOD_NOT_FOUND, "Method not found"))
        try:
            return {"jsonrpc": "2.0", "result": method(node, Params(request.get("params"))), "id": identity}
        except NodeRpcError as error:
            return _failure(identity, error)
        except Exception:  # noqa: BLE001  (an error in one request must not close the connection)
            _log.exception("request failed", method=request["method"])
            return _failure(identity, NodeRpcError(INTERNAL_ERROR, "Internal error"))


def _failure(identity: Json, error: NodeRpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": error.to_json(), "id": identity}
