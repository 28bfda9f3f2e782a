"""Prices that clients set per slot: from that slot on, a pool is reset to its price whenever a block opens.

The pool is rebuilt as it would be in the first block at that price, with the same liquidity around the price and no
volatility, so its accounts depend only on the price and not on earlier trades. A DLMM pool is set to the nearest bin.
The arbitrageur's accounts balance the pool's gains and losses, so that the chain's total amounts do not change.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from solders.pubkey import Pubkey

from orderd.simnet.account import TOKEN_PROGRAMS, LedgerAccount
from orderd.simnet.actors import ARBITRAGEUR
from orderd.simnet.bank import Bank
from orderd.simnet.block import Block
from orderd.simnet.genesis.accounts import DECIMALS, SOL, USDC, FirstAccounts
from orderd.simnet.market import PLACES
from orderd.simnet.market_pools import TradedPool
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount
from orderd.whole_file import write_whole

LOWEST: Final = Decimal(50)
HIGHEST: Final = Decimal(1_000)
"""Bounds of prices, in USDC per SOL: outside, the ticks of the real CLMM pool would not fit the bitmap of the pool's
account."""

_NAMES_ITS_POOL: Final = slice(8, 72)
"""The bytes, after the discriminator, in which an account of a pool's program may name its pool."""


class PriceChange(NamedTuple):
    """From ``slot`` on, a pool is held at ``price``, in USDC per SOL; with None it is no longer held."""

    slot: int
    pool: Pubkey
    price: Decimal | None


class PriceBoard:
    """The price changes, kept in a file, so that they also apply after a restart and on another fork."""

    def __init__(self, bank: Bank, path: Path) -> None:
        self._bank = bank
        self._path = path
        self._places = {place.address: place for place in PLACES if place.address in bank.accounts}
        self._changes = _read(path) if path.exists() else []
        self._held: dict[Pubkey, Decimal | None] = {}
        self._held_in: int | None = None
        """The slot in which pools stood at these prices when its block was opened."""

    @property
    def pools(self) -> Iterable[Pubkey]:
        """The pools whose price can be set: all pools of SOL and USDC."""
        return self._places

    def set(self, changes: Iterable[PriceChange]) -> None:
        """Add changes, and drop earlier ones for the same pools from the first of these slots on.

        All slots must be later than the open block's. Raises OSError if the file cannot be written; then nothing is
        set.
        """
        changes = sorted(changes, key=attrgetter("slot"))
        first = {change.pool: change.slot for change in reversed(changes)}
        self._replace([each for each in self._changes if each.slot < first.get(each.pool, each.slot + 1)] + changes)

    def hold(self) -> None:
        """Drop the changes for future slots. Raises OSError; then nothing is dropped."""
        self._replace([each for each in self._changes if each.slot <= self._bank.open.slot])

    def apply_to(self, block: Block) -> None:
        """Set the pools to their prices in a block that has just been opened."""
        in_force = {each.pool: each.price for each in self._changes if each.slot <= block.slot}
        if in_force != self._held or self._held_in != block.parent_slot or self._bank.newest(block.parent_slot).changed:
            for pool, price in in_force.items():
                if price is not None:
                    self._move(self._places[pool], price)
        self._held, self._held_in = in_force, block.slot

    def _move(self, place: TradedPool, price: Decimal) -> None:
        there = self._bank.accounts
        wanted = _accounts(place, price)
        changed: dict[Pubkey, LedgerAccount | None] = {
            key: account for key, account in wanted.items() if there.get(key) != account
        }
        program = there[place.address].owner
        for key in self._bank.owned_by(program) - wanted.keys():  # such as the bins around the previous price
            if key in there and bytes(place.address) in there[key].data[_NAMES_ITS_POOL]:
                changed[key] = None
        if changed:
            self._bank.replace(changed | self._balanced(changed))

    def _balanced(self, changed: dict[Pubkey, LedgerAccount | None]) -> dict[Pubkey, LedgerAccount]:
        """The arbitrageur's accounts after balancing what the changed accounts gain or lose."""
        there, payer = self._bank.accounts, ARBITRAGEUR.pubkey()
        lamports, amounts = 0, dict.fromkeys((token.NATIVE_MINT, USDC), 0)
        for key, after in changed.items():
            for account, sign in ((there.get(key), -1), (after, 1)):
                if account is None:
                    continue
                lamports += sign * account.lamports
                if account.owner in TOKEN_PROGRAMS and len(account.data) == token.ACCOUNT_SIZE:
                    state = TokenAccount.decode(account.data)
                    amounts[state.mint] += sign * state.amount
        balanced = {}
        for mint, amount in amounts.items():
            key = associated_token.address(payer, mint)
            state = TokenAccount.decode(there[key].data)
            native = amount if mint == token.NATIVE_MINT else 0
            lamports -= native
            balanced[key] = there[key]._replace(
                lamports=there[key].lamports - native, data=replace(state, amount=state.amount - amount).encode()
            )
        balanced[payer] = there[payer]._replace(lamports=there[payer].lamports - lamports)
        return balanced

    def _replace(self, changes: list[PriceChange]) -> None:
        """Store these changes, without those that later ones have replaced."""
        in_force = {each.pool: each for each in changes if each.slot <= self._bank.open.slot}
        kept = [each for each in changes if each.slot > self._bank.open.slot or in_force[each.pool] is each]
        _write(self._path, kept)
        self._changes = kept


@lru_cache(maxsize=64)
def _accounts(place: TradedPool, price: Decimal) -> dict[Pubkey, LedgerAccount]:
    """The accounts of a pool at a price."""
    first = FirstAccounts(time=0)
    first.mints()
    place.add(first, Fraction(price) * 10 ** DECIMALS[USDC] / SOL)
    return {key: account for key, account in first.accounts.items() if key not in DECIMALS}


def _read(path: Path) -> list[PriceChange]:
    return [
        PriceChange(slot, Pubkey.from_string(pool), None if price is None else Decimal(price))
        for slot, pool, price in orjson.loads(path.read_bytes())
    ]


def _write(path: Path, changes: Iterable[PriceChange]) -> None:
    content = [(slot, str(pool), None if price is None else str(price)) for slot, pool, price in changes]
    write_whole(path, orjson.dumps(content))
