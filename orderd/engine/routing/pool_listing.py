"""The list of pools of all venues for clients: balances, price and fee."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_UP, Decimal, localcontext
from fractions import Fraction
from itertools import combinations
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.side import Rates
from orderd.amm.swap import SwapError
from orderd.domain.money import format_amount, format_price
from orderd.domain.quote import VenueRefusal
from orderd.domain.tokens import Token, TokenRegistry
from orderd.engine.routing.offers import refused_from
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.solana.rpc import RpcClient
from orderd.venues.account_facts import token_amount
from orderd.venues.base import OpenPool
from orderd.venues.depth import by_depth
from orderd.wire.pools import PoolsResult, PoolView

_FEE_STEP: Final = Decimal("0.0000001")
"""Rounding step of fees in percent: the finest fee that a program can set."""

_WAYS: Final = ("SOL", "USDC")

Tokens = tuple[Token, Token]


def pairs_of(tokens: TokenRegistry, names: Sequence[str]) -> list[Tokens]:
    """The pair of two names; otherwise the pairs of the daemon's own tokens with SOL or USDC, or those with one name
    in them: all other pairs are traded through these two.

    Raises OrderdError: TOKEN_*.
    """
    match names:
        case [first, second]:
            return [tokens.pair(first, second)]
        case [name]:
            named = tokens.resolve(name)
            own = [named, *(token for token in tokens if token != named)]
            return [pair for pair in _by_a_way(own) if named in pair]
        case _:
            return _by_a_way([*tokens])


def _by_a_way(tokens: Sequence[Token]) -> list[Tokens]:
    return [pair for pair in combinations(tokens, 2) if any(token.symbol in _WAYS for token in pair)]


def pools_result(pairs: Sequence[Tokens], answers: Mapping[Pair, Answers], rpc: RpcClient) -> PoolsResult:
    """All pools of the pairs, the deepest of each pair first. Raises RpcError if their vaults cannot be read."""
    refusals: list[VenueRefusal] = []
    priced: list[tuple[Tokens, OpenPool, Rates]] = []
    for pair in pairs:
        answer = answers[pair[0].mint, pair[1].mint]
        refusals += (*answer.refusals, *answer.cooling)
        for pool in answer.pools:
            try:
                priced.append((pair, pool, pool.side.rates()))
            except SwapError as error:
                refusals.append(pool.refused(error))
    held = _held([pool for _, pool, _ in priced], rpc)
    views = {pool.address: _view(pair, pool, rates, held) for pair, pool, rates in priced}
    ranked = [
        address
        for pair in pairs
        for address in by_depth({pool.address: _sides(pool, held) for own, pool, _ in priced if own == pair})
    ]
    return PoolsResult(
        pools=tuple(views[address] for address in ranked),
        refusals=refused_from(refusals),
        slot=max((pool.slot for _, pool, _ in priced), default=None),
    )


def _held(pools: Sequence[OpenPool], rpc: RpcClient) -> dict[Pubkey, int]:
    """The balance of each vault, in base units."""
    vaults = [vault for pool in pools for vault in pool.vaults]
    if not vaults:
        return {}
    return {
        vault: token_amount(account)
        for vault, account in zip(vaults, rpc.get_multiple_accounts(vaults).value, strict=True)
    }


def _sides(pool: OpenPool, held: Mapping[Pubkey, int]) -> tuple[int, int]:
    first, second = pool.vaults
    return held[first], held[second]


def _view(pair: Tokens, pool: OpenPool, rates: Rates, held: Mapping[Pubkey, int]) -> PoolView:
    first, second = pair
    vault_a, vault_b = pool.vaults
    return PoolView(
        address=pool.address,
        venue=pool.venue,
        kind=pool.kind,
        token_a=first.symbol,
        token_b=second.symbol,
        price=format_price(rates.spot.denominator, first.decimals, rates.spot.numerator, second.decimals),
        fee=_percent(rates.fee),
        reserve_a=format_amount(held[vault_a], first.decimals),
        reserve_b=format_amount(held[vault_b], second.decimals),
        slot=pool.slot,
    )


def _percent(part: Fraction) -> str:
    """Rounded up: a fee is never shown smaller than it is."""
    with localcontext(prec=60):
        percent = Decimal(part.numerator) * 100 / part.denominator
        return f"{percent.quantize(_FEE_STEP, rounding=ROUND_UP).normalize():f}"
