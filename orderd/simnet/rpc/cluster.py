"""RPC methods about the chain and the node: slots, heights, blockhashes, fees, versions."""

from typing import Final

from orderd.simnet.account import rent_exempt_minimum
from orderd.simnet.actors import IDENTITY
from orderd.simnet.bank import MAX_BLOCKHASH_AGE
from orderd.simnet.invoke import SLOTS_PER_EPOCH
from orderd.simnet.rpc.protocol import VERSION, Json, Node, Params, with_context

_PRIORITY_FEE_BLOCKS: Final = 150


class Cluster:
    def __init__(self, genesis_hash: str) -> None:
        self._genesis_hash = genesis_hash

    def get_latest_blockhash(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(0))
        last = view.blockhash_height + MAX_BLOCKHASH_AGE
        return with_context(view, {"blockhash": str(view.blockhash), "lastValidBlockHeight": last})

    def is_blockhash_valid(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(1))
        return with_context(view, view.accepts(params.blockhash(0)))

    def get_block_height(self, node: Node, params: Params) -> Json:
        return node.view(params.options(0)).height

    def get_slot(self, node: Node, params: Params) -> Json:
        return node.view(params.options(0)).slot

    def get_epoch_info(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(0))
        epoch, index = divmod(view.slot, SLOTS_PER_EPOCH)
        return {
            "absoluteSlot": view.slot,
            "blockHeight": view.height,
            "epoch": epoch,
            "slotIndex": index,
            "slotsInEpoch": SLOTS_PER_EPOCH,
            "transactionCount": view.transaction_count,
        }

    def get_transaction_count(self, node: Node, params: Params) -> Json:
        return node.view(params.options(0)).transaction_count

    def get_recent_prioritization_fees(self, node: Node, params: Params) -> Json:
        """The lowest unit price (micro-lamports per compute unit) in each recent block."""
        params.options(1)
        return [
            {"slot": block.slot, "prioritizationFee": min(block.unit_prices, default=0)}
            for block in node.bank.recent_blocks(_PRIORITY_FEE_BLOCKS)
            if block.slot <= node.known
        ]

    def get_minimum_balance_for_rent_exemption(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return rent_exempt_minimum(params.integer(0))

    def get_genesis_hash(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return self._genesis_hash

    def get_identity(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return {"identity": str(IDENTITY.pubkey())}

    def get_health(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return "ok"

    def get_version(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return {"solana-core": VERSION, "feature-set": 0}
