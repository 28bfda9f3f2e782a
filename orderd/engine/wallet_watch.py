"""What the wallet holds, read every few seconds and kept, so that an order is checked without asking the chain."""

from collections.abc import Iterable, Iterator
from typing import Final

from solders.pubkey import Pubkey

from db import balances
from db.balances import Holding
from db.connection import database
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.solana.programs import associated_token
from orderd.solana.programs.token import PROGRAM_ID, TOKEN_2022_PROGRAM_ID
from orderd.solana.rpc import Account, RpcClient
from orderd.venues.account_facts import token_amount

LOOK_SECONDS: Final = 5.0


class WalletWatch:
    """A loop in each worker process; who has been forestalled by another leaves it at that."""

    def __init__(self, rpc: RpcClient, owner: Pubkey, tokens: Iterable[Token]) -> None:
        self._rpc = rpc
        self._owner = owner
        self._mints = [token.mint for token in tokens]

    def run_once(self) -> None:
        """Look, unless somebody just did. Raises RpcError."""
        with database.connection_context():
            age = balances.seconds_since_seen()
        # A clock that was set back would have a look be in the future.
        if age is not None and 0 <= age < LOOK_SECONDS / 2:
            return
        keys = [self._owner, *(self._account(mint, program) for mint, program in self._accounts())]
        answer = self._rpc.get_multiple_accounts(keys)
        wallet, *accounts = answer.value
        found = [*self._holdings(wallet, accounts)]
        with database.connection_context():
            balances.store(found, answer.slot)

    def _accounts(self) -> Iterator[tuple[str, Pubkey]]:
        """A mint is of one of the two token programs; under the other one there is no account of it."""
        yield from ((mint, program) for mint in self._mints for program in (PROGRAM_ID, TOKEN_2022_PROGRAM_ID))

    def _account(self, mint: str, program: Pubkey) -> Pubkey:
        return associated_token.address(self._owner, Pubkey.from_string(mint), program)

    def _holdings(self, wallet: Account | None, accounts: list[Account | None]) -> Iterator[Holding]:
        yield Holding(WSOL_MINT, False, 0 if wallet is None else wallet.lamports, True)
        for mint in self._mints:
            own = [each for (of, _), each in zip(self._accounts(), accounts, strict=True) if of == mint]
            amount, exists = sum(token_amount(each) for each in own), any(each is not None for each in own)
            yield Holding(mint, mint == WSOL_MINT, amount, exists)
