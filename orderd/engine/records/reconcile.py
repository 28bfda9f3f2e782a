"""Reads the wallet's transactions, so that every movement besides the fills is known, to the base unit.

Only finalized transactions are read, oldest first. A transaction of orderd is read once its order has its outcome. So
stored movements never change, and an interrupted run continues where it stopped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeVar

from solders.pubkey import Pubkey

from db import movements
from db.movements import KeptMovement
from orderd.domain.movements import Effect, MovementKind, movements_of
from orderd.domain.tokens import WSOL_MINT, TokenRegistry
from orderd.engine.records.valuation import Valuation
from orderd.solana.mentions import mentions_since
from orderd.solana.programs import associated_token
from orderd.solana.programs import token as token_program
from orderd.solana.programs.token import TokenAccount
from orderd.solana.rpc import Commitment, Mention, RpcClient, RpcError, RpcTransportError
from orderd.solana.rpc_types import AtSlot, KeyedAccount, TransactionInfo

T = TypeVar("T")
_BATCH: Final = 100
_PROGRAMS: Final = (token_program.PROGRAM_ID, token_program.TOKEN_2022_PROGRAM_ID)


@dataclass(frozen=True, slots=True)
class Difference:
    """The balance of a mint on the chain, and the sum of its records; in base units."""

    mint: str
    held: int
    recorded: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run up to ``slot``. ``waits``: an order has not ended, so later transactions are left for the
    next run."""

    slot: int
    transactions: int
    kept: Counter[MovementKind]
    waits: bool
    balances: tuple[Difference, ...]


@dataclass(slots=True)
class _Kept:
    """As in ``Report``."""

    movements: Counter[MovementKind] = field(default_factory=Counter)
    transactions: int = 0
    waits: bool = False


class Reconciliation:
    """Reconciles one wallet. Needs a connection."""

    def __init__(
        self, rpc: RpcClient, wallet: Pubkey, tokens: TokenRegistry, final_at: Commitment = "finalized"
    ) -> None:
        self._rpc = rpc
        self._wallet = wallet
        self._final_at: Commitment = final_at
        self._mints = [token.mint for token in tokens]
        self._in_usdc = Valuation(tokens, tokens.resolve("USDC"), is_estimate=True)
        self._in_sol = Valuation(tokens, tokens.resolve("SOL"), is_estimate=True)

    def run(self, progress: Callable[[int, int], None] = lambda *_: None) -> Report:
        """Read the new transactions, and compare. ``progress`` gets the number of read transactions, and the total.
        Raises RpcError."""
        up_to = self._rpc.get_slot(self._final_at)
        accounts = self._accounts(up_to)
        held = self._held(accounts, up_to)
        new = self._mentions(up_to, accounts)
        kept = self._keep(new, up_to, lambda read: progress(read, len(new)))
        slot = self._done()
        balances = () if kept.waits else self._compared(held, slot)
        return Report(slot, kept.transactions, kept.movements, kept.waits, balances)

    def catch_up(self, most: int) -> Counter[MovementKind]:
        """Read the oldest of the new transactions, about ``most`` of them. Raises RpcError."""
        up_to = self._rpc.get_slot(self._final_at)
        new = self._mentions(up_to, self._accounts(up_to))
        if len(new) > most:
            new = [each for each in new if each.slot <= new[most].slot]
            up_to = new[-1].slot
        return self._keep(new, up_to, lambda _: None).movements

    def _keep(self, mentions: Sequence[Mention], up_to: int, progress: Callable[[int], None]) -> _Kept:
        """Store what all transactions up to a slot have moved."""
        kept = _Kept()
        for batch in _whole_slots(mentions):
            settled = movements.is_settled([str(each.signature) for each in batch])
            open_slots = [each.slot for each in batch if not settled.get(str(each.signature), True)]
            if open_slots:
                batch = [each for each in batch if each.slot < min(open_slots)]
            if batch:
                found = self._read(batch, settled.keys())
                self._store(found, batch[-1].slot)
                kept.movements.update(each.movement.kind for each in found)
                kept.transactions += len(batch)
                progress(kept.transactions)
            if open_slots:
                kept.waits = True
                return kept
        self._store((), up_to)
        return kept

    def _store(self, found: Sequence[KeptMovement], up_to: int) -> None:
        self._rpc.confirm_chain()  # what is stored is never read again
        movements.keep(str(self._wallet), found, up_to)

    def _done(self) -> int:
        slot = movements.reconciled_slot(str(self._wallet))
        return -1 if slot is None else slot

    def _mentions(self, up_to: int, accounts: Iterable[KeyedAccount]) -> list[Mention]:
        """All transactions that are not read yet, oldest first. A transaction that sends a token names its account
        and not the wallet, so the current token accounts are searched too, and those of this daemon, which may be
        closed by now."""
        begun = self._done()
        usual = {
            associated_token.address(self._wallet, Pubkey.from_string(mint), program)
            for mint in self._mints
            for program in _PROGRAMS
        }
        found = {
            each.signature: each
            for address in {self._wallet, *(each.key for each in accounts), *usual}
            for each in mentions_since(self._rpc, address, begun + 1, known_to=up_to, commitment=self._final_at)
            if each.slot <= up_to
        }
        return sorted(found.values(), key=lambda each: (each.slot, str(each.signature)))

    def _accounts(self, up_to: int) -> list[KeyedAccount]:
        """The wallet's token accounts."""
        return [
            each
            for program in _PROGRAMS
            for each in _known_to(
                up_to,
                self._rpc.get_token_accounts_by_owner(self._wallet, program=program, commitment=self._final_at),
            )
        ]

    def _read(self, batch: Sequence[Mention], own: Iterable[str]) -> list[KeptMovement]:
        signatures = [each.signature for each in batch]
        known, own = movements.known([str(each) for each in signatures]), frozenset(own)
        kept: list[KeptMovement] = []
        for mention, info in zip(batch, self._rpc.get_transactions(signatures, self._final_at), strict=True):
            if isinstance(info, RpcError):
                raise info
            if info is None:
                raise RpcError(f"getTransaction: {mention.signature}, found for the wallet, is not known")
            signature = str(mention.signature)
            at = datetime.now(UTC) if info.block_time is None else datetime.fromtimestamp(info.block_time, UTC)
            for each in movements_of(effect_of(info, str(self._wallet)), known.get(signature), is_own=signature in own):
                usdc, sol = (_price(values, each.mint, at) for values in (self._in_usdc, self._in_sol))
                kept.append(KeptMovement(signature, mention.slot, at, each, usdc, sol))
        return kept

    def _held(self, accounts: Iterable[KeyedAccount], up_to: int) -> Counter[str]:
        """The balance of each mint on the chain."""
        held = Counter({WSOL_MINT: _known_to(up_to, self._rpc.get_balance(self._wallet, self._final_at))})
        for each in accounts:
            account = TokenAccount.decode(each.account.data)
            held[str(account.mint)] += account.amount
        return held

    def _compared(self, held: Counter[str], slot: int) -> tuple[Difference, ...]:
        recorded = movements.sums(slot)
        return tuple(Difference(mint, held[mint], recorded[mint]) for mint in sorted(held.keys() | recorded.keys()))


def effect_of(info: TransactionInfo, wallet: str) -> Effect:
    """The changes of the wallet's balances by a transaction, lamports and wrapped SOL together."""
    before, after = info.lamports.get(wallet, (0, 0))
    deltas = Counter({WSOL_MINT: after - before})
    rent = 0
    for each in info.tokens:
        if each.owner == wallet:
            deltas[each.mint] += each.after - each.before
            there_before, lamports = info.lamports.get(each.account, (0, 0))
            if there_before == 0 and lamports:
                rent += lamports - (each.after if each.mint == WSOL_MINT else 0)
    is_payer = info.payer == wallet
    return Effect(deltas, info.fee if is_payer else 0, rent if is_payer else 0)


def _known_to(slot: int, answer: AtSlot[T]) -> T:
    """The answer. Raises RpcError if it is older than the slot, because another node lags."""
    if answer.slot < slot:
        raise RpcTransportError(f"a node of the endpoint is at slot {answer.slot}, another one at {slot}")
    return answer.value


def _price(values: Valuation, mint: str, at: datetime) -> Decimal | None:
    price = values.price(mint, at)
    return None if price is None else Decimal(price.numerator) / price.denominator


def _whole_slots(mentions: Sequence[Mention]) -> Iterable[list[Mention]]:
    """Batches that do not end within a slot, so that the records up to a slot are complete."""
    batch: list[Mention] = []
    for each in mentions:
        if len(batch) >= _BATCH and each.slot != batch[-1].slot:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch
