"""``orderd prove``: compares quotes with the programs that the chain has, without sending anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orderd.commands.database import database_of
from orderd.commands.options import Config, StateDir
from orderd.commands.prepare import prepare

if TYPE_CHECKING:
    from orderd.config.settings import Settings
    from orderd.domain.quote import PoolKind
    from orderd.proving.market import Pair
    from orderd.proving.proof import Findings

_NOTES = 3
"""Of a kind, those that are printed."""
_KEPT = 20
"""Of a kind's differences, those that are stored."""


def prove(
    config: Config = None,
    state_dir: StateDir = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="A pool kind, several times for several [default: all]")
    ] = None,
    pair: Annotated[
        list[str] | None, typer.Option(help="A pair such as SOL/USDC [default: pairs of the tokens known by name]")
    ] = None,
    pools: Annotated[int, typer.Option(min=1, max=100, help="Pools per kind at most")] = 5,
) -> None:
    """Compare quotes with the programs of pools as the chain has them, and store for which kinds they are equal.

    Each swap is tried by the node's simulation, and by LiteSVM on the program that the node shows. It signs and sends
    nothing, and may run beside the daemon. On devnet and mainnet the daemon trades in proved programs only. Exits with
    1 if a quote differs.
    """
    from orderd.domain.quote import VenueName
    from orderd.engine.trading import open_rpc, wallet_address
    from orderd.proving.market import Market
    from orderd.proving.proof import Findings, Prover
    from orderd.solana.json_rpc import rpc_errors_told
    from orderd.solana.pool_programs import program_of

    settings = prepare(config=config, state_dir=state_dir)
    settings = settings.model_copy(update={"rpc_url": settings.rpc_url or _of_simnet(settings)})
    kinds = _kinds(kind, settings)
    pairs = _pairs(pair, settings)
    addresses = {VenueName.RAYDIUM: settings.raydium_pools, VenueName.METEORA: settings.meteora_pools}
    differs = False
    with database_of(config, state_dir), rpc_errors_told():
        rpc = open_rpc(settings)
        prover = Prover(rpc, Market(rpc, kinds, settings.chain, addresses), wallet_address(settings))
        all_found = [Findings(each, program_of(each).ids[settings.chain]) for each in kinds]
        chosen = [prover.pools(found.kind, pairs, pools, found) for found in all_found]
        for found, own in zip(all_found, chosen, strict=True):
            prover.prove(found, own)
            _store(found)
            _tell(found)
            differs |= bool(found.differences)
    raise typer.Exit(1 if differs else 0)


def _store(found: "Findings") -> None:
    """What decides nothing leaves the proof before as it is."""
    from importlib.metadata import version

    from db import proofs

    if found.is_decided and found.slot is not None:
        proofs.keep(
            found.kind,
            str(found.program),
            found.slot,
            proved=found.is_proved,
            pools=found.pools,
            swaps=found.swaps,
            differences=found.differences[:_KEPT],
            version=version("orderd"),
        )


def _tell(found: "Findings") -> None:
    verdict = "proved" if found.is_proved else "differs" if found.differences else "undecided"
    slot = "" if found.slot is None else f", deployed at slot {found.slot}"
    compared = f"{found.pools} pools, {found.swaps} swaps"
    equal = f"as quoted: {found.node_equal} by the node, {found.litesvm_equal} by LiteSVM"
    typer.echo(f"{found.kind}\t{verdict}\t{compared}; {equal}\t{found.program}{slot}")
    for line in (*found.differences, *dict.fromkeys(found.notes[:_NOTES])):
        typer.echo(f"\t{line}")


def _kinds(names: Sequence[str] | None, settings: "Settings") -> "list[PoolKind]":
    from orderd.config.loading import ConfigurationError
    from orderd.domain.quote import PoolKind
    from orderd.solana.pool_programs import program_of

    known = [kind for kind in PoolKind if settings.chain in program_of(kind).ids]
    if unknown := set(names or ()) - set(known):
        raise ConfigurationError(f"--kind: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    return [kind for kind in known if not names or kind in names]


def _pairs(names: Sequence[str] | None, settings: "Settings") -> "list[Pair]":
    from orderd.domain.well_known import registry_of
    from orderd.engine.routing.pool_listing import pairs_of

    tokens = registry_of(settings.chain)
    named = [tokens.named_pair(name) for name in names] if names else pairs_of(tokens, ())
    return [(base.mint, quote.mint) for base, quote in named]


def _of_simnet(settings: "Settings") -> str | None:
    """Where the local chain listens that a running daemon brought along."""
    from orderd.process.roles import read_address

    address = Path(settings.state_dir) / "simnet" / "simnet.json"
    return read_address(address)["http_url"] if settings.chain == "simnet" and address.exists() else None
