from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount
from orderd.simnet.actors import IDENTITY, TRADERS
from orderd.simnet.bank import Bank
from orderd.simnet.block import SealedBlock
from orderd.simnet.genesis import Genesis
from orderd.simnet.invoke import NativeProgram
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome
from orderd.simnet.transaction import Transaction, decode
from orderd.solana.programs import associated_token, compute_budget, memo
from orderd.solana.programs.token import TokenAccount
from tests.unit.simnet.world import signed

GENESIS_TIME = 1_800_000_000


@cache
def _first_block() -> SealedBlock:
    """The first block, created once because it is only read."""
    return Genesis(GENESIS_TIME).block()


class LocalChain:
    """A bank without a ledger, with a clock that the test controls and a trader who holds every token."""

    trader = TRADERS[0]

    def __init__(
        self,
        programs: Mapping[Pubkey, NativeProgram] = PROGRAMS,
        landing_programs: Mapping[Pubkey, NativeProgram] = PROGRAMS,
    ) -> None:
        self.now = GENESIS_TIME
        block = replace(_first_block(), executed=[])
        accounts = {key: account for key, account in block.changed.items() if account is not None}
        self.bank = Bank(
            accounts,
            block,
            blockhashes={block.blockhash: block.height},
            statuses={},
            programs=programs,
            landing_programs=landing_programs,
            clock=lambda: self.now,
            collector=IDENTITY.pubkey(),
            finality_slots=32,
        )
        self._count = 0

    def transaction(self, instructions: Sequence[Instruction], *signers: Keypair) -> Transaction:
        """A unique transaction with the newest blockhash and the maximum of compute units."""
        self._count += 1
        behind = [memo.memo(f"number {self._count}"), *compute_budget.budget(compute_budget.MAX_COMPUTE_UNITS, 0)]
        return decode(
            bytes(
                signed(
                    [*instructions, *behind], signers or (self.trader,), self.bank.view(self.bank.open.slot).blockhash
                )
            )
        )

    def send(self, *instructions: Instruction) -> Outcome:
        """Process the trader's transaction in the open block."""
        return self.bank.process(self.transaction(instructions))

    def seal(self, blocks: int = 1) -> SealedBlock:
        """Seal blocks, each confirmed at once; returns the last one."""
        for _ in range(blocks):
            block = self.bank.seal()
            self.bank.announce_open()
            self.bank.confirm(block)
        return block

    def account(self, key: Pubkey) -> LedgerAccount:
        return self.bank.accounts[key]

    def amount(self, key: Pubkey) -> int:
        """A token account's balance in base units."""
        return TokenAccount.decode(self.account(key).data).amount

    def held(self, mint: Pubkey) -> Pubkey:
        """The trader's account of this mint."""
        return associated_token.address(self.trader.pubkey(), mint)

    def lamports(self) -> int:
        """The total of all lamports."""
        return sum(account.lamports for account in self.bank.accounts.values())


@pytest.fixture
def chain() -> LocalChain:
    return LocalChain()
