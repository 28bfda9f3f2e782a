"""Reads and stores the wallet's balances every few seconds, so that orders are checked without querying the chain."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from solders.pubkey import Pubkey

from db import balances, tokens
from db.balances import SellableBalance
from db.connection import database
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.solana.programs import associated_token
from orderd.solana.programs.token import PROGRAM_IDS
from orderd.solana.rpc import MAX_ACCOUNTS_PER_CALL, ChainAccount, RpcClient
from orderd.venues.account_facts import token_amount

READ_SECONDS: Final = 5.0


class WalletWatch:
    """A loop in each worker process; if another process has just read the balances, it does nothing."""

    def __init__(self, rpc: RpcClient, owner: Pubkey, own: Iterable[Token]) -> None:
        """``own`` tokens are always read, others if they were used lately."""
        self._rpc = rpc
        self._owner = owner
        self._own = [(token.mint, program) for token in own for program in PROGRAM_IDS]

    def run_once(self) -> None:
        """Read the balances, unless another process has just done so. Raises RpcError."""
        with database.connection_context():
            age = balances.seconds_since_seen()
            # After a clock was set back, the last read may be in the future.
            if age is not None and 0 <= age < READ_SECONDS / 2:
                return
            watched_mints = tokens.last_mints(MAX_ACCOUNTS_PER_CALL - 1 - len(self._own))
        watched = self._own + [(each.mint, Pubkey.from_string(each.program)) for each in watched_mints]
        keys = [self._owner, *(self._account(mint, program) for mint, program in watched)]
        answer = self._rpc.get_multiple_accounts(keys)
        self._rpc.confirm_chain()
        wallet, *accounts = answer.value
        found = [*_holdings(wallet, watched, accounts)]
        with database.connection_context():
            balances.store(found, answer.slot)

    def _account(self, mint: str, program: Pubkey) -> Pubkey:
        return associated_token.address(self._owner, Pubkey.from_string(mint), program)


def _holdings(
    wallet: ChainAccount | None, watched: Sequence[tuple[str, Pubkey]], accounts: Sequence[ChainAccount | None]
) -> Iterator[SellableBalance]:
    """Each mint belongs to one of the two token programs, so its account under the other one does not exist."""
    yield SellableBalance(WSOL_MINT, False, 0 if wallet is None else wallet.lamports, True)
    for mint in dict.fromkeys(mint for mint, _ in watched):
        own = [account for (of, _), account in zip(watched, accounts, strict=True) if of == mint]
        amount, exists = sum(token_amount(each) for each in own), any(each is not None for each in own)
        yield SellableBalance(mint, mint == WSOL_MINT, amount, exists)
