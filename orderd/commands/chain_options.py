"""The options of commands that read pools from the chain: pool kinds, pairs and the endpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orderd.config.settings import Settings
    from orderd.domain.pool_kind import PoolKind
    from orderd.proving.market import Pair

Kinds = Annotated[list[str] | None, typer.Option("--kind", help="A pool kind; can be repeated [default: all]")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", help="A pair such as SOL/USDC; can be repeated [default: all pairs of the built-in tokens]"),
]


def kinds_named(names: Sequence[str] | None, settings: "Settings") -> "list[PoolKind]":
    """The named kinds; all kinds of the chain if none is named. Raises ArgumentError for any other kind."""
    from orderd.commands.options import ArgumentError
    from orderd.domain.pool_kind import PoolKind
    from orderd.solana.pool_programs import program_of

    known = [kind for kind in PoolKind if settings.chain in program_of(kind).ids]
    if unknown := set(names or ()) - set(known):
        raise ArgumentError(f"--kind: unknown kind {', '.join(sorted(unknown))}; use {', '.join(known)}")
    return [kind for kind in known if not names or kind in names]


def pairs_named(names: Sequence[str] | None, settings: "Settings") -> "list[Pair]":
    """The mints of the named pairs; all pairs of built-in tokens if none is named. Raises OrderdError: TOKEN_*."""
    from orderd.domain.well_known import registry_of
    from orderd.engine.routing.pool_listing import pairs_of

    tokens = registry_of(settings.chain)
    named = [tokens.named_pair(name) for name in names] if names else pairs_of(tokens, ())
    return [(base.mint, quote.mint) for base, quote in named]


def with_endpoint(settings: "Settings") -> "Settings":
    """The settings. If no endpoint is set, the endpoint is the local chain of a running daemon.

    Raises ConfigurationError if there is neither.
    """
    from orderd.config.loading import ConfigurationError
    from orderd.whole_file import read_address

    if settings.rpc_url is not None:
        return settings
    address = Path(settings.state_dir) / "simnet" / "simnet.json"
    if settings.chain != "simnet" or not address.exists():
        raise ConfigurationError(
            f"no RPC endpoint: set ORDERD_RPC_URL to one of {settings.chain}; on simnet a running daemon has one"
        )
    return settings.model_copy(update={"rpc_url": read_address(address)["http_url"]})
