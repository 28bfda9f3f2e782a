"""Finds any mint by name or address, reads it from the chain, and lists its warnings.

A mint is read from the chain at its first use, and stored in Postgres, so that orders can be parsed, and repeated ones
recognized, even if the chain does not answer. No request is made for known tokens.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from peewee import PeeweeException
from solders.pubkey import Pubkey

from db import audit, tokens
from db.audit import Actor, Entry
from db.connection import database, transaction
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import MintFacts
from orderd.domain.tokens import MINT_ADDRESS, Token, TokenRegistry
from orderd.engine.stored_mints import learn
from orderd.engine.token_list import TokenList, TokenListError
from orderd.solana.json_rpc import RpcError, RpcWrongChainError
from orderd.solana.mints import facts_of, metadata_address
from orderd.solana.rpc import MAX_ACCOUNTS_PER_CALL, RpcClient
from orderd.wire.tokens import TokenFound, TokensFound, TokenView, TokenWarning

NAMES_SECONDS: Final = 5.0
"""How often symbols that another gateway was given are read."""
LIST_SECONDS: Final = 3_600.0
_FRESH_SECONDS: Final = 300.0
"""A mint that was read longer ago is read again before it is shown, because an authority may have been revoked."""
_FOUND: Final = 20
log = structlog.get_logger(__name__)


class TokenDesk:
    """Keeps the registry of a process up to date. Thread-safe; opens its own connections."""

    def __init__(
        self,
        registry: TokenRegistry,
        rpc: RpcClient,
        token_list: TokenList | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self._rpc = rpc
        self._list = token_list
        self._clock = clock
        self._read_at: dict[str, float] = {}

    def begin(self) -> None:
        """Load the stored tokens, without network requests. Raises PeeweeException."""
        self.refresh_names()
        if self._list is not None:
            self.registry.set_listed(self._list.before())

    def refresh_names(self) -> None:
        """Raises PeeweeException."""
        with database.connection_context():
            named = tokens.names()
            known = tokens.mints_known([each.mint for each in named])
        for facts in known:
            self.registry.learn(facts)
        self.registry.set_named(named)

    def refresh_list(self) -> None:
        """Read the token list, if one is configured."""
        if self._list is None:
            return
        try:
            listings = self._list.read()
        except TokenListError as error:
            log.warning("token list not read", action="token_list_unread", error=str(error))
            return
        self.registry.set_listed(listings)
        log.info("token list read", action="token_list_read", tokens=len(listings))

    def learn(self, names: Iterable[str]) -> None:
        """Read the mints of these names, if they are not known.

        Raises the errors of ``TokenRegistry.mint_of``, OrderdError TOKEN_NO_MINT, or TOKEN_UNREAD if no answer came.
        Raises PeeweeException.
        """
        self._learn([mint for mint in map(self.registry.mint_of, names) if self.registry.find(mint) is None])

    def learn_held(self, mints: Iterable[str]) -> None:
        """Read the mints that a wallet holds, if they are not known; accounts that are not mints are skipped."""
        unknown = [mint for mint in mints if self.registry.find(mint) is None]
        try:
            for some in (unknown[at : at + _MINTS_PER_CALL] for at in range(0, len(unknown), _MINTS_PER_CALL)):
                self._learn(some, skip_bad=True)
        except (OrderdError, PeeweeException) as error:
            log.warning("held tokens unread", action="mints_unread", error=str(error))

    def view(self, token: Token) -> TokenView:
        """The token with its warnings, which are read again if they are old."""
        facts = self.registry.facts(token.mint)
        if facts is not None and self._clock() - self._read_at.get(token.mint, -_FRESH_SECONDS) >= _FRESH_SECONDS:
            try:
                (facts,) = self._from_chain([token.mint])
            except (OrderdError, PeeweeException) as error:
                log.warning("mint not read again", action="mint_unread", mint=token.mint, error=str(error))
        return token_view(token, facts)

    def listed(self) -> tuple[TokenView, ...]:
        """The built-in tokens, and those that the operator has named."""
        return tuple(token_view(token, self.registry.facts(token.mint)) for token in self.registry)

    def search(self, text: str) -> TokensFound:
        found = self.registry.search(text, _FOUND)
        return TokensFound(
            tokens=tuple(
                TokenFound(
                    symbol=each.symbol, mint=each.mint, name=each.name, verified=each.verified, pinned=each.pinned
                )
                for each in found
            )
        )

    def name(self, symbol: str, mint: str, by: Actor, *, pinned: bool) -> TokenView:
        """Give a mint this symbol.

        Raises OrderdError TOKEN_NAME_REFUSED, and as ``learn`` does; TOKEN_AMBIGUOUS if others have the symbol and
        it is not ``pinned``.
        """
        self.registry.check_free(symbol)
        if not MINT_ADDRESS.fullmatch(mint):
            raise OrderdError(
                ErrorCode.TOKEN_NO_MINT, f"{mint[:64]!r} is not an address: it must be 32 bytes in base58"
            )
        self.learn([mint])
        self.registry.resolve(mint)  # a mint that is not traded needs no symbol
        others = [each for each in self.registry.search(symbol, _FOUND) if each.symbol.upper() == symbol.upper()]
        if not pinned and any(each.mint != mint for each in others):
            choices = "; ".join(f"{each.mint} {each.name}".rstrip() for each in others)
            raise OrderdError(ErrorCode.TOKEN_AMBIGUOUS, f"{symbol} may be {choices}")
        with database.connection_context():
            _keep(symbol, mint, by, pinned)
        self.refresh_names()
        return self.view(self.registry.resolve(mint))

    def unname(self, symbol: str, by: Actor) -> int:
        """Remove a symbol that the operator gave. Returns the number of mints that had it."""
        with database.connection_context():
            count = _forget(symbol, by)
        self.refresh_names()
        return count

    def _learn(self, mints: Sequence[str], *, skip_bad: bool = False) -> None:
        if not mints:
            return
        with database.connection_context():
            learn(self.registry, mints)
        unread = [mint for mint in dict.fromkeys(mints) if self.registry.facts(mint) is None]
        if unread:
            self._from_chain(unread, skip_bad=skip_bad)

    def _from_chain(self, mints: Sequence[str], *, skip_bad: bool = False) -> list[MintFacts]:
        """Read the mints from the chain and store them. Raises OrderdError TOKEN_UNREAD or TOKEN_NO_MINT."""
        keys = [_key(mint) for mint in mints]
        try:
            answer = self._rpc.get_multiple_accounts([*keys, *map(metadata_address, keys)]).value
        except RpcWrongChainError as error:
            raise OrderdError(error.error_code, str(error)) from error
        except RpcError as error:
            raise OrderdError(ErrorCode.TOKEN_UNREAD, f"{', '.join(mints)}: {error}") from error
        found: list[MintFacts] = []
        for key, account, metadata in zip(keys, answer[: len(keys)], answer[len(keys) :], strict=True):
            try:
                found.append(facts_of(key, account, metadata))
            except OrderdError:
                if not skip_bad:
                    raise
        with database.connection_context():
            tokens.keep_mints(found)
        for facts in found:
            self._read_at[facts.mint] = self._clock()
            self.registry.learn(facts)
        return found


_MINTS_PER_CALL: Final = MAX_ACCOUNTS_PER_CALL // 2
"""Mints that one request can read: each has an account, and perhaps one with its name."""


def token_view(token: Token, facts: MintFacts | None) -> TokenView:
    """The token for display; without ``facts`` it has no warnings."""
    if facts is None:
        return TokenView(symbol=token.symbol, mint=token.mint, decimals=token.decimals)
    return TokenView(
        symbol=token.symbol,
        mint=token.mint,
        decimals=token.decimals,
        name=facts.name or None,
        warnings=tuple(TokenWarning(code=code, detail=detail) for code, detail in facts.warnings()),
    )


@transaction
def _keep(symbol: str, mint: str, by: Actor, pinned: bool) -> None:
    tokens.keep_name(symbol, mint, pinned=pinned)
    audit.record([Entry(by, audit.NAME_TOKEN, detail=f"{symbol} {'means' if pinned else 'is'} {mint}")])


@transaction
def _forget(symbol: str, by: Actor) -> int:
    count = tokens.forget_name(symbol)
    audit.record([Entry(by, audit.NAME_TOKEN, detail=f"{symbol} is not a symbol any more")])
    return count


def _key(mint: str) -> Pubkey:
    try:
        return Pubkey.from_string(mint)
    except ValueError:
        raise OrderdError(ErrorCode.TOKEN_NO_MINT, f"{mint} is not an address: it must be 32 bytes in base58") from None
