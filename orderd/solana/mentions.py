"""The transactions that mention an address, over as many pages as the node's answers take."""

from collections.abc import Iterator

from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.solana.rpc import MAX_MENTIONS_A_CALL, Commitment, Mention, RpcClient, RpcTransportError


def mentions_since(
    rpc: RpcClient,
    address: Pubkey,
    slot: int,
    *,
    known_to: int,
    commitment: Commitment,
    most_pages: int | None = None,
) -> Iterator[Mention]:
    """From ``slot`` on, newest first.

    A node that does not know the slot ``known_to`` refuses to answer: of several nodes behind one endpoint, one that
    lags would leave out the newest transactions without a sign. Raises RpcError, also where there are more than
    ``most_pages``.
    """
    before: Signature | None = None
    pages = 0
    while most_pages is None or pages < most_pages:
        page = rpc.get_signatures_for_address(address, before=before, min_context_slot=known_to, commitment=commitment)
        yield from (mention for mention in page if mention.slot >= slot)
        if len(page) < MAX_MENTIONS_A_CALL or page[-1].slot < slot:
            return
        before = page[-1].signature
        pages += 1
    raise RpcTransportError(f"{address} was named by more than {pages * MAX_MENTIONS_A_CALL} transactions since")
