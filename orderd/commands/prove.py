"""``orderd prove``: compares orderd's quotes with the pool programs on the chain, without sending transactions."""

from typing import TYPE_CHECKING, Annotated

import typer

from orderd.commands.chain_options import Kinds, Pairs, kinds_named, pairs_named, with_endpoint
from orderd.commands.database import database_of
from orderd.commands.options import Config, StateDir
from orderd.commands.prepare import prepare

if TYPE_CHECKING:
    from orderd.proving.proof import Findings

_NOTES = 3
"""Maximum number of notes that are printed per kind."""
_KEPT = 20
"""Maximum number of differences that are stored per kind."""


def prove(
    config: Config = None,
    state_dir: StateDir = None,
    kind: Kinds = None,
    pair: Pairs = None,
    pools: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of pools per kind")] = 5,
) -> None:
    """Compare quotes with the pool programs on the chain, and store which pool kinds are proved.

    Each swap is simulated by the node, and by LiteSVM with the program of the node. Nothing is signed or sent, and the
    daemon can keep running. On devnet and mainnet, the daemon only trades proved kinds. Exits with 1 if a quote
    differs.
    """
    from orderd.engine.trading import open_rpc, wallet_address
    from orderd.proving.market import ProvingMarket
    from orderd.proving.proof import Findings, Prover
    from orderd.solana.json_rpc import translated_rpc_errors
    from orderd.solana.pool_programs import program_of

    settings = with_endpoint(prepare(config=config, state_dir=state_dir))
    kinds, pairs = kinds_named(kind, settings), pairs_named(pair, settings)
    differs = False
    with database_of(config, state_dir), translated_rpc_errors():
        rpc = open_rpc(settings)
        market = ProvingMarket(rpc, kinds, settings.chain, settings.pool_addresses)
        prover = Prover(rpc, market, wallet_address(settings))
        prover.check_trader()
        all_found = [Findings(each, program_of(each).ids[settings.chain]) for each in kinds]
        chosen = [prover.pools(found.kind, pairs, pools, found) for found in all_found]
        for found, own in zip(all_found, chosen, strict=True):
            prover.prove(found, own, pools)
            _store(found)
            _print(found)
            differs |= bool(found.differences)
    raise typer.Exit(1 if differs else 0)


def _store(found: "Findings") -> None:
    """Store the result. An inconclusive one does not replace an earlier proof."""
    from importlib.metadata import version

    from db import proofs
    from orderd.venues.quoting_code import quoting_code

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
            code=quoting_code(found.kind),
        )


def _print(found: "Findings") -> None:
    verdict = "proved" if found.is_proved else "differs" if found.differences else "undecided"
    slot = "" if found.slot is None else f", deployed at slot {found.slot}"
    compared = f"{found.pools} pools, {found.swaps} swaps"
    equal = f"as quoted: {found.node_equal} by the node, {found.litesvm_equal} by LiteSVM"
    typer.echo(f"{found.kind}\t{verdict}\t{compared}; {equal}\t{found.program}{slot}")
    for line in (*found.differences, *dict.fromkeys(found.notes[:_NOTES])):
        typer.echo(f"\t{line}")
