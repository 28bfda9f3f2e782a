"""What a landed transaction traded, read from the balances it changed; never from what was asked for."""

from dataclasses import dataclass

from orderd.domain.tokens import WSOL_MINT
from orderd.solana.rpc_types import TransactionInfo


@dataclass(frozen=True, slots=True)
class Fill:
    """Base units given and received, and the network's fee in lamports."""

    amount_in: int
    amount_out: int
    network_fee: int
    slot: int


def read_fill(transaction: TransactionInfo, wallet: str, mint_in: str, mint_out: str) -> Fill:
    """The fill of a landed swap. Raises ValueError where the balances show none.

    A token's amount is the change of the wallet's own accounts. SOL is wrapped and unwrapped within the transaction,
    where the wallet's lamports also pay fees and rent: there the change of the pools' accounts is the fill.
    """

    def received(mint: str) -> int:
        if mint == WSOL_MINT:
            return -transaction.token_delta(mint, lambda owner: owner != wallet)
        return transaction.token_delta(mint, lambda owner: owner == wallet)

    amount_in, amount_out = -received(mint_in), received(mint_out)
    if amount_in < 1 or amount_out < 1:
        raise ValueError(f"{wallet} has given {amount_in} of {mint_in} and got {amount_out} of {mint_out}")
    return Fill(amount_in, amount_out, transaction.fee, transaction.slot)
