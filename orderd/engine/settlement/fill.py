"""Reads the fill of a landed transaction from the changes of balances, never from the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orderd.domain.tokens import WSOL_MINT
from orderd.solana.rpc_types import TransactionInfo


@dataclass(frozen=True, slots=True)
class SettledFill:
    """Base units given and received, and the network's fee in lamports.

    ``rent`` are the lamports that the wallet has paid for token accounts that remain. ``left_over`` are base units of
    other mints that the wallet received: the output of the first of two hops that the second one did not spend.
    """

    amount_in: int
    amount_out: int
    network_fee: int
    slot: int
    rent: int = 0
    left_over: Mapping[str, int] = field(default_factory=dict)


def read_fill(transaction: TransactionInfo, wallet: str, mint_in: str, mint_out: str) -> SettledFill:
    """The fill of a landed swap. Raises ValueError if the balances show none.

    A token's amount is the change of the wallet's own accounts. SOL is wrapped and unwrapped within the transaction, in
    which the wallet's lamports also pay fees and rent, or is sold from the wallet's wrapped SOL. So for SOL the fill is
    the change of the pools' accounts.
    """

    def received(mint: str) -> int:
        if mint == WSOL_MINT:
            return -transaction.token_delta(mint, lambda owner: owner != wallet)
        return transaction.token_delta(mint, lambda owner: owner == wallet)

    amount_in, amount_out = -received(mint_in), received(mint_out)
    if amount_in < 1 or amount_out < 1:
        raise ValueError(f"{wallet} has given {amount_in} of {mint_in} and got {amount_out} of {mint_out}")
    others = dict.fromkeys(each.mint for each in transaction.tokens if each.mint not in (mint_in, mint_out))
    left_over = {mint: amount for mint in others if (amount := received(mint)) > 0}
    return SettledFill(amount_in, amount_out, transaction.fee, transaction.slot, _rent(transaction, wallet), left_over)


def _rent(transaction: TransactionInfo, wallet: str) -> int:
    """Lamports in token accounts of the wallet's that were not there before."""
    own = (transaction.lamports.get(each.account, (0, 0)) for each in transaction.tokens if each.owner == wallet)
    return sum(after for before, after in own if before == 0)
