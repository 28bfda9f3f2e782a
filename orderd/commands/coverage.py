"""``orderd coverage``: which pools of the chain can be traded, and why others are excluded."""

from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from orderd.commands.chain_options import Kinds, Pairs, kinds_named, pairs_named, with_endpoint
from orderd.commands.options import Config, StateDir
from orderd.commands.prepare import prepare

if TYPE_CHECKING:
    from orderd.domain.errors import OrderdError
    from orderd.domain.pool_kind import PoolKind
    from orderd.proving.market import Pair, ProvingMarket

_SHOWN = 3
"""Number of addresses that are printed per reason."""


def coverage(config: Config = None, state_dir: StateDir = None, kind: Kinds = None, pair: Pairs = None) -> None:
    """Count the tradable pools by kind, and the excluded pools by reason.

    It only reads from the chain. A pool is counted once, even if it belongs to several of the pairs.
    """
    from orderd.domain.errors import OrderdError
    from orderd.proving.market import ProvingMarket
    from orderd.solana.json_rpc import translated_rpc_errors
    from orderd.solana.rpc import RpcClient

    settings = with_endpoint(prepare(config=config, state_dir=state_dir))
    kinds, pairs = kinds_named(kind, settings), pairs_named(pair, settings)
    assert settings.rpc_url is not None
    with translated_rpc_errors(), closing(RpcClient(settings.rpc_url)) as rpc:
        market = ProvingMarket(rpc, kinds, settings.chain, settings.pool_addresses)
        for each in kinds:
            try:
                found = by_reason(market, each, pairs)
            except OrderdError as error:
                typer.echo(f"{each}\tunknown\t{error}")
                continue
            typer.echo(f"{each}\ttraded\t{len(found.pop(None, ()))}")
            for reason, pools in sorted(found.items(), key=lambda item: str(item[0])):
                names = ", ".join(sorted(pools)[:_SHOWN]) + (", ..." if len(pools) > _SHOWN else "")
                typer.echo(f"{each}\t{reason}\t{len(pools)}\t{names}")


def by_reason(market: "ProvingMarket", kind: "PoolKind", pairs: "list[Pair]") -> dict[str | None, set[str]]:
    """The addresses of the pools by the reason why they are excluded; None for tradable pools. Raises OrderdError:
    RPC_*."""
    found: dict[str | None, set[str]] = defaultdict(set)
    for pair in pairs:
        liquidity = market.liquidity_of(kind, pair)
        found[None].update(pool.address for pool in liquidity.pools)
        for refusal in liquidity.refusals:
            found[_reason(refusal)].add(_pool(refusal))
    return found


def _pool(refusal: "OrderdError") -> str:
    """The address of a refused pool. That of a closed pool is only in the detail, after the word "pool"."""
    from orderd.venues.guest import PoolRefusedError

    return refusal.pool if isinstance(refusal, PoolRefusedError) else refusal.detail.split()[1]


def _reason(refusal: "OrderdError") -> str:
    from orderd.solana.programs.unsupported import UnsupportedPoolError

    cause = refusal.__cause__
    if isinstance(cause, UnsupportedPoolError):
        return cause.reason if cause.field is None else f"{cause.reason} ({cause.field})"
    return refusal.code
