"""Checks that a token still has the decimals by which its order was understood.

A mint of Token-2022 with a close authority can be closed while nobody holds the token, and be made again at the same
address with other decimals, for example after an order was submitted and before there is a pool. The order's amounts
and prices would then mean other numbers of tokens. All other mints keep their decimals.
"""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import EVERYWHERE
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.mints import can_be_closed, facts_of
from orderd.solana.rpc import RpcClient
from orderd.venues.single_flight import SingleFlight

_READ_SECONDS: Final = 0.2


class MintDecimals:
    """Thread-safe. A mint that cannot be closed is read once."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._lasting: dict[str, int] = {token.mint: token.decimals for token in EVERYWHERE}
        self._read: SingleFlight[str, int] = SingleFlight(self._of, _READ_SECONDS)

    def check(self, terms: OrderTerms) -> None:
        """Raises OrderdError TOKEN_REMADE if a token has other decimals by now, TOKEN_NO_MINT if it has no mint, and
        RPC_*."""
        for token in (terms.token_in, terms.token_out):
            decimals = self._lasting.get(token.mint)
            if decimals is None:
                with translated_rpc_errors():
                    decimals = self._read.get(token.mint)
            if decimals != token.decimals:
                raise OrderdError(
                    ErrorCode.TOKEN_REMADE,
                    f"the mint {token.mint} has {decimals} decimals, and had {token.decimals} when the order was taken",
                )

    def _of(self, mint: str) -> int:
        key = Pubkey.from_string(mint)
        (account,) = self._rpc.get_multiple_accounts([key]).value
        decimals = facts_of(key, account).decimals
        if not can_be_closed(account):
            self._lasting[mint] = decimals
        return decimals
