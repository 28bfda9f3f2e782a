"""Prices that are set from outside, slot by slot: from its slot on a pool stands at its price whenever a block opens.

It is rebuilt as it would be in the first block at that price, with the same liquidity around it and volatility at rest:
its accounts follow from the price alone, whatever was traded in it before. A DLMM pool goes to the nearest bin. What it
gains or loses thereby the arbitrageur pays or gets, so that the chain as a whole keeps what it has.
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
"""USDC a SOL: below, the ticks of the real CLMM pool would leave the bitmap of the pool's own account."""

_NAMES_ITS_POOL: Final = slice(8, 72)
"""Where an account of a pool's program, behind the discriminator, says whose it is."""


class PriceChange(NamedTuple):
    """From ``slot`` on a pool stands at ``price``, USDC per SOL; None means that it is no longer held there."""

    slot: int
    pool: Pubkey
    price: Decimal | None


class PriceBoard:
    """What was set, kept in a file: a restart changes nothing, and a fork repeats what it undid."""

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
        """Those whose price can be set: all of SOL and USDC."""
        return self._places

    def set(self, changes: Iterable[PriceChange]) -> None:
        """Take the place of what was set for the same pools from the first of these slots on.

        Slots are later than the open block's. Raises OSError if the file cannot be written, and then nothing is set.
        """
        changes = sorted(changes, key=attrgetter("slot"))
        first = {change.pool: change.slot for change in reversed(changes)}
        self._replace([each for each in self._changes if each.slot < first.get(each.pool, each.slot + 1)] + changes)

    def hold(self) -> None:
        """Forget what was set for slots to come. Raises OSError, and then nothing is forgotten."""
        self._replace([each for each in self._changes if each.slot <= self._bank.open.slot])

    def apply_to(self, block: Block) -> None:
        """Bring the pools to their prices in a block that has just been opened."""
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
        for key in self._bank.owned_by(program) - wanted.keys():  # such as the bins around the price before
            if key in there and bytes(place.address) in there[key].data[_NAMES_ITS_POOL]:
                changed[key] = None
        if changed:
            self._bank.replace(changed | self._balanced(changed))

    def _balanced(self, changed: dict[Pubkey, LedgerAccount | None]) -> dict[Pubkey, LedgerAccount]:
        """The arbitrageur's accounts, once they have made up for what others gain or lose."""
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
        """Keep these, but for those that others have taken the place of."""
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
