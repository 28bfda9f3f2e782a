"""Collects the accounts of the first block: the tokens, their mints and token accounts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib import resources
from math import isqrt
from typing import Any, Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.actors import FAUCET
from orderd.simnet.programs.token.extensions import of_new_account
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import Mint, TokenAccount

SOL: Final = 10**9
"""Lamports."""

USDC: Final = Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
STACC: Final = Pubkey.from_string("73edX6xoGY4v5y2hzuKdrUbJXLntqgmo74au1Ki1pump")
CHILLGUY: Final = Pubkey.from_string("Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump")
DECIMALS: Final = {token.NATIVE_MINT: 9, USDC: 6, STACC: 6, CHILLGUY: 6}


@dataclass(slots=True)
class FirstAccounts:
    """The accounts so far. ``time`` in unix seconds."""

    time: int
    accounts: dict[Pubkey, LedgerAccount] = field(default_factory=dict)

    def data(self, address: Pubkey, owner: Pubkey, data: bytes) -> None:
        """Add an account of a program, with the rent-exempt minimum for its size."""
        self.accounts[address] = LedgerAccount(rent_exempt_minimum(len(data)), owner, data)

    def mint(self, address: Pubkey, mint: Mint, program: Pubkey = token.PROGRAM_ID) -> None:
        self.data(address, program, mint.encode())

    def tokens(self, owner: Pubkey, mint: Pubkey, amount: int, address: Pubkey | None = None) -> None:
        """Add a token account with ``amount`` base units, which are added to the mint's supply."""
        of, program = Mint.decode(self.accounts[mint].data), self.accounts[mint].owner
        native = mint == token.NATIVE_MINT
        size = token.ACCOUNT_SIZE + len(added := of_new_account(of))
        rent = rent_exempt_minimum(size)
        state = TokenAccount.new(mint, owner, amount, native_rent=rent if native else None)
        where = address or associated_token.address(owner, mint, program)
        data = replace(state, extensions=added).encode()
        self.accounts[where] = LedgerAccount(rent + (amount if native else 0), program, data)
        if not native:
            self.mint(mint, replace(of, supply=of.supply + amount), program)

    def mints(self) -> None:
        """Add all mints. The faucet is the mint authority of each except wrapped SOL."""
        for address, decimals in DECIMALS.items():
            authority = None if address == token.NATIVE_MINT else FAUCET.pubkey()
            self.mint(address, Mint.new(decimals, authority=authority))


class FirstPool(NamedTuple):
    """A pool of the first block: the token that it trades for SOL, and a function that adds its accounts."""

    token: Pubkey
    add: Callable[[FirstAccounts], None]


def snapshot(kind: PoolKind, name: str) -> dict[str, Any]:
    """A pool's recorded or constructed state; its ``provenance`` says which. Integers are decimal strings."""
    file = resources.files(f"orderd.pools.{kind}.simnet") / "snapshots" / f"{name}.json"
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def integers(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a snapshot as integers."""
    return {name: int(value) for name, value in fields.items()}


def reserves_at(price: Fraction, product: int) -> tuple[int, int]:
    """The two balances with this product at which one base unit of the first token costs ``price`` of the second."""
    first = isqrt(product * price.denominator // price.numerator)
    return first, round(first * price)
