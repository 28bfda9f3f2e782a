"""What the verbs that look at the chain's pools have in common: which kinds and pairs are meant, and at which node."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orderd.config.settings import Settings
    from orderd.domain.pool_kind import PoolKind
    from orderd.proving.market import Pair

Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="A pool kind, several times for several [default: all]")
]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", help="A pair such as SOL/USDC [default: pairs of the tokens known by name]"),
]


def kinds_named(names: Sequence[str] | None, settings: "Settings") -> "list[PoolKind]":
    """Raises ConfigurationError for a kind that the chain does not have."""
    from orderd.config.loading import ConfigurationError
    from orderd.domain.pool_kind import PoolKind
    from orderd.solana.pool_programs import program_of

    known = [kind for kind in PoolKind if settings.chain in program_of(kind).ids]
    if unknown := set(names or ()) - set(known):
        raise ConfigurationError(f"--kind: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    return [kind for kind in known if not names or kind in names]


def pairs_named(names: Sequence[str] | None, settings: "Settings") -> "list[Pair]":
    """Raises OrderdError: TOKEN_*."""
    from orderd.domain.well_known import registry_of
    from orderd.engine.routing.pool_listing import pairs_of

    tokens = registry_of(settings.chain)
    named = [tokens.named_pair(name) for name in names] if names else pairs_of(tokens, ())
    return [(base.mint, quote.mint) for base, quote in named]


def with_endpoint(settings: "Settings") -> "Settings":
    """The settings with the local chain that a running daemon brought along, where no endpoint is set.

    Raises ConfigurationError where there is none either.
    """
    from orderd.config.loading import ConfigurationError
    from orderd.whole_file import read_address

    if settings.rpc_url is not None:
        return settings
    address = Path(settings.state_dir) / "simnet" / "simnet.json"
    if not address.exists():
        raise ConfigurationError("no RPC endpoint: set ORDERD_RPC_URL, or start the daemon, which brings its own")
    return settings.model_copy(update={"rpc_url": read_address(address)["http_url"]})
