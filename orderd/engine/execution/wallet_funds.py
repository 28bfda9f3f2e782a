"""The wallet from a trade's view: its token accounts, the cost of a new one, and what is missing for an order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import structlog
from solders.pubkey import Pubkey

from orderd.domain.money import LAMPORT_DECIMALS, format_amount
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.solana.programs import associated_token, token
from orderd.solana.rpc import AtSlot, ChainAccount, RpcClient, RpcError, RpcTransportError
from orderd.venues.account_facts import token_amount
from orderd.venues.single_flight import SingleFlight

T = TypeVar("T")
_KNOWN_SECONDS: Final = 30.0
"""How long an existing account is assumed to exist. A missing one is checked each time."""
_RENT_SECONDS: Final = 3600.0
log = structlog.get_logger(__name__)


class TokenAccountKey(NamedTuple):
    """A mint, its token program, and the size of the wallet's associated account in bytes."""

    mint: str
    program: Pubkey
    size: int = token.ACCOUNT_SIZE


@dataclass(frozen=True, slots=True)
class Need:
    """The funds that an order needs: base units of ``mint``, and lamports for the network fee and for new accounts.

    ``passing_rent`` is the rent of accounts that exist for one transaction only: it is returned, but must be available.
    SOL is sold as lamports, or if ``use_wrapped`` is true from the wallet's account of wrapped SOL. ``sold`` is the
    token of that mint, for texts with amounts of it.
    """

    mint: str
    program: Pubkey
    amount: int
    fee: int
    rent: int
    passing_rent: int
    use_wrapped: bool = False
    sold: Token | None = None

    @property
    def sells_lamports(self) -> bool:
        return self.mint == WSOL_MINT and not self.use_wrapped

    @property
    def around(self) -> int:
        """Lamports that it needs in addition to the sold amount."""
        return self.fee + self.rent + self.passing_rent


@dataclass(slots=True)
class Promised:
    """The lamports and wrapped SOL that earlier orders of a batch take, less what they return.

    Needed because each order is simulated alone.
    """

    lamports: int = 0
    wrapped: int = 0

    def add(self, need: Need, lamports_bought: int) -> None:
        self.lamports += need.fee - lamports_bought
        if need.sells_lamports:
            self.lamports += need.amount
        elif need.use_wrapped:
            self.wrapped += need.amount

    def leaves(self, need: Need, lamports: int, wrapped: int) -> bool:
        """Whether a wallet with this balance has enough for another order."""
        sold = need.amount if need.sells_lamports else 0
        if need.use_wrapped and wrapped - self.wrapped < need.amount:
            return False
        return lamports - self.lamports >= sold + need.around


class FundsCheck:
    """Checks the funds of one wallet. Thread-safe."""

    def __init__(self, rpc: RpcClient, owner: Pubkey) -> None:
        self._rpc = rpc
        self._owner = owner
        self._rents: SingleFlight[int, int] = SingleFlight(self._rent, _RENT_SECONDS)
        self._exist: SingleFlight[TokenAccountKey, bool] = SingleFlight(
            self._exists, lambda exists: _KNOWN_SECONDS if exists else 0.0
        )
        self._ways: SingleFlight[str, int] = SingleFlight(self._way, _KNOWN_SECONDS)

    @property
    def account_rent(self) -> int:
        """Rent-exempt minimum of a token account in lamports. Raises RpcError."""
        return self._rents.get(token.ACCOUNT_SIZE)

    def rent_of_new(self, bought: Iterable[TokenAccountKey]) -> int:
        """Lamports for those of these accounts that do not exist yet. Accounts for wrapped SOL are not kept.

        Raises RpcError.
        """
        staying = [key for key in bought if key.mint != WSOL_MINT]
        return sum(self._rents.get(key.size) for key in staying if not self._exist.get(key))

    def rent_as_known(self, bought: Iterable[TokenAccountKey]) -> int | None:
        """``rent_of_new``; None if the chain does not answer."""
        try:
            return self.rent_of_new(bought)
        except RpcError as error:
            log.warning("rent unknown", action="rent_unknown", error=str(error))
            return None

    def cost_of_way(self, mint: str) -> int:
        """Lamports for a new account of the token between two hops; 0 if the chain does not answer.

        Routes are compared for every order, so the chain is queried at most twice per minute.
        """
        return self._ways.get(mint)

    def shortfall(self, need: Need, promised: Promised | None = None) -> str | None:
        """A text with the wallet's balance, the order's need, and the maximum that could be sold; None if the funds
        suffice.

        ``promised`` are the funds that earlier orders take. Raises RpcError, also if the node that answers is behind
        others: it may not show funds that have arrived.
        """
        others, known_to = promised or Promised(), self._rpc.newest_slot
        lamports = _not_behind(self._rpc.get_balance(self._owner), known_to)
        free = lamports - others.lamports
        around = need.around + self._rents.get(0)
        if need.sells_lamports:
            if free >= need.amount + around:
                return None
            return (
                f"the wallet holds {_sol(lamports)}{_taken(others.lamports)}; the order takes {_sol(need.amount)}, "
                f"{_costs(need)}, and {_sol(self._rents.get(0))} have to stay in the wallet; at most "
                f"{_sol(max(free - around, 0))} can be sold{self._or_wrapped(need, others, free - around)}"
            )
        held = token_amount(self._account(TokenAccountKey(need.mint, need.program), known_to))
        if need.use_wrapped:
            if held - others.wrapped < need.amount:
                return (
                    f"the wallet holds {_sol(held)} wrapped{_taken(others.wrapped)}; the order takes "
                    f"{_sol(need.amount)} of that, and {_costs(need)} from SOL that is not wrapped"
                )
        elif held < need.amount:
            return (
                f"the wallet holds {_amount_text(held, need)} that can be traded, "
                f"the order sells {_amount_text(need.amount, need)}"
            )
        if free < around:
            holds = f"the wallet holds {_sol(lamports)}{' that is not wrapped' if need.use_wrapped else ''}"
            return f"{holds}{_taken(others.lamports)}; besides the sold amount, the order takes {_costs(need)}"
        return None

    def confirm_not_behind(self, slot: int) -> None:
        """Raises RpcError if an answer of this slot is behind others."""
        _not_behind(AtSlot(slot, None), self._rpc.newest_slot)

    def _or_wrapped(self, need: Need, others: Promised, left: int) -> str:
        """A hint if the wallet's wrapped SOL would be enough for the order, and ``left`` lamports for the rest."""
        wrapped = token_amount(self._account(TokenAccountKey(WSOL_MINT, need.program)))
        if wrapped - others.wrapped < need.amount or left + need.passing_rent < 0:
            return ""
        return f"; {_sol(wrapped)} are wrapped beside it, which are sold with --use-wrapped"

    def _rent(self, size: int) -> int:
        return self._rpc.get_minimum_balance_for_rent_exemption(size)

    def _way(self, mint: str) -> int:
        return self.rent_as_known([TokenAccountKey(mint, token.PROGRAM_ID)]) or 0

    def _exists(self, key: TokenAccountKey) -> bool:
        return self._account(key) is not None

    def _account(self, key: TokenAccountKey, known_to: int = 0) -> ChainAccount | None:
        address = associated_token.address(self._owner, Pubkey.from_string(key.mint), key.program)
        return _not_behind(self._rpc.get_multiple_accounts([address]), known_to)[0]


def _not_behind(answer: AtSlot[T], known_to: int) -> T:
    if answer.slot < known_to:
        raise RpcTransportError(f"the node that answered is at slot {answer.slot}, and others have reached {known_to}")
    return answer.value


def _taken(amount: int) -> str:
    return f", of which orders before this one take {_sol(amount)}" if amount > 0 else ""


def _costs(need: Need) -> str:
    parts = [f"{_sol(need.fee)} for the network"]
    if need.rent:
        parts.append(f"{_sol(need.rent)} rent of new token accounts")
    if need.passing_rent:
        parts.append(f"{_sol(need.passing_rent)} rent for as long as it runs")
    return ", ".join(parts)


def _sol(lamports: int) -> str:
    return f"{format_amount(lamports, LAMPORT_DECIMALS)} SOL"


def _amount_text(amount: int, need: Need) -> str:
    if need.sold is None:
        return f"{amount} base units of {need.mint}"
    return f"{format_amount(amount, need.sold.decimals)} {need.sold.symbol}"
