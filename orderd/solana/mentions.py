"""The transactions that mention an address, over all pages of the node's answers."""

from collections.abc import Iterator

from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.solana.rpc import MAX_MENTIONS_PER_CALL, Commitment, Mention, RpcClient, RpcTransportError


def mentions_since(
    rpc: RpcClient,
    address: Pubkey,
    slot: int,
    *,
    known_to: int,
    commitment: Commitment,
    most_pages: int | None = None,
    reaches_back: bool = False,
) -> Iterator[Mention]:
    """The transactions that mention ``address`` from ``slot`` on, newest first.

    ``known_to`` is the minimum context slot: a node that has not reached it refuses to answer, because it would
    silently omit the newest transactions. Raises RpcError, also if there are more than ``most_pages`` pages.

    ``reaches_back``: the answer must also have a transaction from ``slot`` or before. Otherwise the node may have
    begun after it, and silently omit the oldest transactions.
    """
    before: Signature | None = None
    pages = 0
    while most_pages is None or pages < most_pages:
        page = rpc.get_signatures_for_address(address, before=before, min_context_slot=known_to, commitment=commitment)
        yield from (mention for mention in page if mention.slot >= slot)
        if page and page[-1].slot < slot:
            return
        if len(page) < MAX_MENTIONS_PER_CALL:
            if reaches_back and not (page and page[-1].slot <= slot):
                raise RpcTransportError(f"getSignaturesForAddress: the node shows no transaction from before {slot}")
            return
        before = page[-1].signature
        pages += 1
    raise RpcTransportError(f"{address} was mentioned by more than {pages * MAX_MENTIONS_PER_CALL} transactions since")
