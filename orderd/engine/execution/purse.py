"""The wallet as a trade meets it: which token accounts it has, what a new one costs, and what it lacks for an order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from solders.pubkey import Pubkey

from orderd.domain.money import format_amount
from orderd.domain.tokens import WSOL_MINT, TokenRegistry
from orderd.engine.views import LAMPORT_DECIMALS
from orderd.solana.programs import associated_token, token
from orderd.solana.rpc import Account, RpcClient, RpcError
from orderd.venues.account_facts import token_amount
from orderd.venues.single_flight import SingleFlight

_KNOWN_SECONDS: Final = 30.0
"""How long an account that exists is taken to exist. One that does not is asked for again each time."""
_RENT_SECONDS: Final = 3600.0
_TOKENS: Final = TokenRegistry()
log = structlog.get_logger(__name__)

TokenAccountKey = tuple[str, Pubkey]
"""A mint and its token program: the wallet keeps it at the associated address."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an order takes from the wallet: base units of ``mint``, and lamports for the network and for new accounts.

    ``passing_rent`` is that of accounts which live for one transaction: it comes back, but has to be there.
    """

    mint: str
    program: Pubkey
    amount: int
    fee: int
    rent: int
    passing_rent: int


class Purse:
    """Of one wallet. Thread-safe."""

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
        """Lamports that the chain asks for an account of the Token program. Raises RpcError."""
        return self._rents.get(token.ACCOUNT_SIZE)

    def rent_of_new(self, bought: Iterable[TokenAccountKey]) -> int:
        """Lamports for those of these accounts that do not exist yet. Wrapped SOL has none that stays.

        Raises RpcError.
        """
        staying = [key for key in bought if key[0] != WSOL_MINT]
        return sum(self._rents.get(_size_under(key[1])) for key in staying if not self._exist.get(key))

    def rent_as_known(self, bought: Iterable[TokenAccountKey]) -> int | None:
        """The same; None where the chain does not tell."""
        try:
            return self.rent_of_new(bought)
        except RpcError as error:
            log.warning("rent unknown", action="rent_unknown", error=str(error))
            return None

    def cost_of_way(self, mint: str) -> int:
        """The same for a token between two hops: nothing where the chain does not tell.

        Routes are compared for every order, so it is asked for no more often than every half a minute.
        """
        return self._ways.get(mint)

    def shortfall(self, need: Need) -> str | None:
        """What the wallet holds, what the order takes, and how much could be sold at most. None where nothing lacks.

        Raises RpcError.
        """
        lamports = self._rpc.get_balance(self._owner).value
        around = need.fee + need.rent + need.passing_rent + self._rents.get(0)
        if need.mint == WSOL_MINT:
            if lamports >= need.amount + around:
                return None
            return (
                f"the wallet holds {_sol(lamports)}; the order takes {_sol(need.amount)}, {_costs(need)}, and "
                f"{_sol(self._rents.get(0))} have to stay in the wallet; at most {_sol(max(lamports - around, 0))} "
                "can be sold"
            )
        held = token_amount(self._account((need.mint, need.program)))
        if held < need.amount:
            sold = _told(need.amount, need.mint)
            return f"the wallet holds {_told(held, need.mint)} that can be traded, the order sells {sold}"
        if lamports < around:
            return f"the wallet holds {_sol(lamports)}; beside what is sold, the order takes {_costs(need)}"
        return None

    def _rent(self, size: int) -> int:
        return self._rpc.get_minimum_balance_for_rent_exemption(size)

    def _way(self, mint: str) -> int:
        return self.rent_as_known([(mint, token.PROGRAM_ID)]) or 0

    def _exists(self, key: TokenAccountKey) -> bool:
        return self._account(key) is not None

    def _account(self, key: TokenAccountKey) -> Account | None:
        mint, program = key
        address = associated_token.address(self._owner, Pubkey.from_string(mint), program)
        return self._rpc.get_multiple_accounts([address]).value[0]


def _size_under(program: Pubkey) -> int:
    return token.ACCOUNT_SIZE if program == token.PROGRAM_ID else token.ASSOCIATED_2022_SIZE


def _costs(need: Need) -> str:
    parts = [f"{_sol(need.fee)} for the network"]
    if need.rent:
        parts.append(f"{_sol(need.rent)} rent of new token accounts")
    if need.passing_rent:
        parts.append(f"{_sol(need.passing_rent)} rent for as long as it runs")
    return ", ".join(parts)


def _sol(lamports: int) -> str:
    return f"{format_amount(lamports, LAMPORT_DECIMALS)} SOL"


def _told(amount: int, mint: str) -> str:
    known = _TOKENS.find(mint)
    if known is None:
        return f"{amount} base units of {mint}"
    return f"{format_amount(amount, known.decimals)} {known.symbol}"
