"""Reservations of the wallet's funds by orders, and checks of new orders against the unreserved funds.

It uses the balances that a worker has stored within the last minute, without queries to the chain; without recent
balances an order is accepted. An order that waits for the market is refused if its funds are not available; orders that
reserve are serialised, so that no two of them get the same funds. A market order reserves when it is signed, and
is accepted without a check.

In addition to what it sells, an order reserves the network fee of each of its transactions, at the highest price that
the daemon pays, and the rent of the account that it buys into, once for all orders. Rent that is returned at the end of
a transaction must be available, but is not reserved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from db import balances, journal
from db.balances import BalanceKey, ReservedSpending, SellableBalance
from db.connection import transaction
from db.journal import Moved, NewOrder
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS, format_amount, part_of
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import WSOL_MINT
from orderd.solana.programs.compute_budget import priority_fee
from orderd.solana.programs.token import ACCOUNT_RENT
from orderd.solana.transaction import LAMPORTS_PER_SIGNATURE

LAMPORTS: Final[BalanceKey] = (WSOL_MINT, False)
_UNITS: Final = 400_000
"""Compute units of a trade over several pools."""
_MIN_LAMPORTS: Final = 890_880
"""Rent of the wallet itself, as that of ``ACCOUNT_RENT`` for no data."""


def fee_of(max_unit_price: int) -> int:
    """Lamports that the network takes for a transaction at this price of a compute unit, in micro-lamports."""
    return LAMPORTS_PER_SIGNATURE + priority_fee(_UNITS, max_unit_price)


@dataclass(frozen=True, slots=True)
class Funds:
    """Funds of one token in base units: the tradable and the reserved amount."""

    total: int
    reserved: int

    @property
    def available(self) -> int:
        return max(self.total - self.reserved, 0)


@dataclass(slots=True)
class WalletFunds:
    """The wallet's last ``stored`` balances, and the reserved amounts. ``fee`` in lamports per transaction.

    ``ways`` are the mints that a trade may pass through.
    """

    stored: Mapping[BalanceKey, SellableBalance]
    fee: int
    ways: Collection[str] = ()
    reserved: dict[BalanceKey, int] = field(default_factory=dict)
    bought: set[str] = field(default_factory=set)

    def funds(self, key: BalanceKey) -> Funds | None:
        """None if the wallet has not been read recently."""
        if (holding := self.stored.get(key)) is None:
            return None
        return Funds(holding.amount, self.reserved_of(key))

    def reserve(self, spending: ReservedSpending) -> None:
        self._add((spending.mint_in, spending.wrapped), spending.amount)
        self._add(LAMPORTS, self.fee * spending.executions)
        self.bought.add(spending.mint_out)

    def check(self, terms: OrderTerms, more: int | None = None) -> None:
        """Reserve what these terms need; only ``more`` if a part of the amount is reserved already.

        Raises OrderdError FUNDS_RESERVED if it is not available; then nothing is reserved.
        """
        spending = _spending(terms, _sold(terms) if more is None else more)
        executions = spending.executions if more is None else 0
        sold = (spending.mint_in, spending.wrapped)
        rent = sum(ACCOUNT_RENT for mint in {spending.mint_out} - self.bought if self._lacks_account(mint))
        needs: dict[BalanceKey, int] = {sold: spending.amount}
        around = self.fee * executions + rent
        needs[LAMPORTS] = needs.get(LAMPORTS, 0) + around
        for key, need in needs.items():
            has_to_be_there = need + (self._passing(terms) if key == LAMPORTS else 0)
            funds = self.funds(key)
            if funds is not None and funds.total - funds.reserved < has_to_be_there:
                raise OrderdError(ErrorCode.FUNDS_RESERVED, _shortage(terms, key, funds, has_to_be_there))
        self.reserve(
            ReservedSpending(spending.mint_in, spending.wrapped, spending.mint_out, executions, spending.amount)
        )

    def spendable(self, terms: OrderTerms) -> int:
        """The most that an order of these terms can sell. Raises OrderdError FUNDS_UNKNOWN."""
        key = (terms.token_in.mint, terms.use_wrapped)
        funds = self.funds(key)
        if funds is None:
            raise OrderdError(
                ErrorCode.FUNDS_UNKNOWN, f"no worker has seen the wallet's {terms.token_in.symbol} recently"
            )
        if key != LAMPORTS:
            return funds.available
        accounts = {terms.token_out.mint, *self.ways} - self.bought
        rent = sum(ACCOUNT_RENT for mint in accounts if self._lacks_account(mint))
        return max(funds.available - self.fee * _executions(terms) - rent - self._passing(terms), 0)

    def _passing(self, terms: OrderTerms) -> int:
        """Lamports that must be available but are not spent: the wallet's own rent, and for SOL the rent of the wrapped
        account."""
        wraps = WSOL_MINT in (terms.token_in.mint, terms.token_out.mint) and not terms.use_wrapped
        return _MIN_LAMPORTS + (ACCOUNT_RENT if wraps else 0)

    def _lacks_account(self, mint: str) -> bool:
        holding = self.stored.get((mint, False))
        return mint != WSOL_MINT and holding is not None and not holding.has_account

    def reserved_of(self, key: BalanceKey) -> int:
        rents = sum(ACCOUNT_RENT for mint in self.bought if self._lacks_account(mint)) if key == LAMPORTS else 0
        return self.reserved.get(key, 0) + rents

    def _add(self, key: BalanceKey, amount: int) -> None:
        self.reserved[key] = self.reserved.get(key, 0) + amount


class Reservations:
    """``fee`` and ``ways`` are as in ``WalletFunds``. A key may have ``max_open`` orders that rest; 0 sets no cap.

    If market orders may not ``overcommit``, they reserve from their acceptance on, like resting orders.
    """

    def __init__(
        self, fee: int = fee_of(0), ways: Collection[str] = (), max_open: int = 0, *, overcommit: bool = True
    ) -> None:
        self._fee = fee
        self._ways = ways
        self._max_open = max_open
        self._overcommit = overcommit

    def reserves(self, terms: OrderTerms) -> bool:
        """Whether such an order is accepted only if its funds are available."""
        return terms.rests or not self._overcommit

    def wallet_funds(self, *, with_unseen: bool = True) -> WalletFunds:
        """The current funds. Needs a connection, as all functions here do.

        ``with_unseen`` adds fills after the last stored balances; callers with current balances pass False.
        """
        wallet_funds = WalletFunds(balances.stored(), self._fee, self._ways)
        for each in balances.spendings(with_unseen=with_unseen, from_acceptance=not self._overcommit):
            wallet_funds.reserve(each)
        return wallet_funds

    def resolved(self, terms: OrderTerms) -> OrderTerms:
        """The terms with a relative amount resolved to its current value.

        Raises OrderdError FUNDS_UNKNOWN, FUNDS_RESERVED if other orders have reserved everything, or
        FUNDS_INSUFFICIENT.
        """
        if terms.amount_word is None:
            return terms
        wallet_funds = self.wallet_funds()
        part = part_of(terms.amount_word)
        amount = wallet_funds.spendable(terms) * part.numerator // part.denominator
        if amount < 1:
            key = (terms.token_in.mint, terms.use_wrapped)
            funds = wallet_funds.funds(key)
            assert funds is not None, "what is spendable is known"
            code = ErrorCode.FUNDS_RESERVED if funds.reserved else ErrorCode.FUNDS_INSUFFICIENT
            funds_text = _funds_text(terms, key, funds)
            raise OrderdError(code, f"{terms.amount_word} of {funds_text} is zero after fees")
        return replace(terms, amount_in=amount)

    @transaction
    def accept(
        self, orders: Sequence[NewOrder], sender: str | None = None, *, unless_halted: bool = False
    ) -> tuple[list[Moved], dict[UUID, OrderdError]]:
        """Accept the orders that can reserve their funds; the others get an error."""
        refused = self.refusals(orders)
        taken = [each for each in orders if each.id not in refused]
        return journal.accept(taken, sender, unless_halted=unless_halted), refused

    def refusals(self, orders: Sequence[NewOrder]) -> dict[UUID, OrderdError]:
        """The errors of orders that cannot be accepted in this transaction; repeated submissions are not checked.

        FUNDS_RESERVED, or LIMIT_OPEN if the API key has too many open orders.
        """
        reserving = [each for each in orders if self.reserves(each.terms)]
        if not reserving:
            return {}
        balances.lock()
        wallet_funds = self.wallet_funds()
        left = {each.by.key_id: self._places(each.by.key_id) for each in reserving if each.terms.rests}
        refused = {}
        for order in reserving:
            try:
                if order.terms.rests:
                    self._check_place(left[order.by.key_id])
                wallet_funds.check(order.terms)
            except OrderdError as error:
                if journal.submitted_as(order.account_id, order.client_order_id) is None:
                    refused[order.id] = error
            else:
                if order.terms.rests:
                    left[order.by.key_id] -= 1
        return refused

    def check(self, order: NewOrder) -> None:
        """Raises OrderdError if ``refusals`` has one."""
        for error in self.refusals([order]).values():
            raise error

    def check_more(self, before: OrderTerms, after: OrderTerms) -> None:
        """Let an order that is in this transaction's hands sell more. Raises OrderdError FUNDS_RESERVED."""
        if (more := after.amount - before.amount) > 0:
            balances.lock()
            self.wallet_funds().check(after, more)

    def _places(self, key_id: UUID | None) -> int:
        return self._max_open - balances.open_of_key(key_id) if self._max_open else 1

    def _check_place(self, left: int) -> None:
        if self._max_open and left < 1:
            raise OrderdError(ErrorCode.LIMIT_OPEN, f"the key has {self._max_open} open orders, which is its maximum")


def _spending(terms: OrderTerms, amount: int) -> ReservedSpending:
    return ReservedSpending(terms.token_in.mint, terms.use_wrapped, terms.token_out.mint, _executions(terms), amount)


def _sold(terms: OrderTerms) -> int:
    """The maximum amount that it sells, as far as its terms say: the cost of a purchase is known only with a route."""
    return (terms.max_in or 0) if terms.amount_in is None else terms.amount_in


def _executions(terms: OrderTerms) -> int:
    """Transactions that it may take, as ``db.balances`` has it of stored orders."""
    if terms.slices is not None:
        return terms.slices
    return -(-BPS // terms.min_fill_bps) if terms.partial and terms.min_fill_bps else 1


def _shortage(terms: OrderTerms, key: BalanceKey, funds: Funds, need: int) -> str:
    what = "needs" if key == (terms.token_in.mint, terms.use_wrapped) else "needs for the network and for accounts"
    return f"{_funds_text(terms, key, funds)}; the order {what} {_amount(terms, key, need)}"


def _funds_text(terms: OrderTerms, key: BalanceKey, funds: Funds) -> str:
    total, reserved, available = (_amount(terms, key, each) for each in (funds.total, funds.reserved, funds.available))
    return f"the wallet's {total}, of which orders have reserved {reserved} and {available} are available"


def _amount(terms: OrderTerms, key: BalanceKey, amount: int) -> str:
    if key == (terms.token_in.mint, terms.use_wrapped):
        symbol = f"wrapped {terms.token_in.symbol}" if terms.use_wrapped else terms.token_in.symbol
        return f"{format_amount(amount, terms.token_in.decimals)} {symbol}"
    return f"{format_amount(amount, 9)} SOL"
