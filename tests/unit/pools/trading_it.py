"""Trades in the imaginary kind, in a tree that has it, and prints the results as JSON.

This is not a test: ``test_added_kind`` runs it.
"""

import json
import sys
from importlib import import_module
from typing import Any

from solders.instruction import Instruction

from orderd.config.loading import ConfigurationError, load_settings
from orderd.config.settings import Settings
from orderd.domain.pool_kind import PoolKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.chain_errors import explain
from orderd.engine.execution.blame import is_lasting
from orderd.engine.trading import open_venues
from orderd.simnet.genesis import SOL, USDC
from orderd.simnet.market import PLACES
from orderd.simnet.programs.disturbed import with_outage, with_refusals
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome
from orderd.solana.pool_programs import program_of
from orderd.solana.rpc import RpcClient
from orderd.venues.base import trade_instructions
from tests.unit.simnet.conftest import LocalChain
from tests.unit.venues.genesis import desk_at_genesis

KIND = PoolKind("constant_sum")
SOLD = 3 * SOL


def kinds_traded(**settings: Any) -> list[PoolKind]:
    return [venue.kind for venue in open_venues(Settings(**settings), RpcClient("http://127.0.0.1:1"), 400)]


def misconfigured(**flags: Any) -> str:
    try:
        load_settings(**flags)
    except ConfigurationError as error:
        return error.detail
    return ""


def judged(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error is not None
    error = explain(outcome.error.to_json(), outcome.logs)
    return {"code": error.code, "name": error.failure.name, "lasts": is_lasting(error)}


def main() -> None:
    desk = desk_at_genesis(max_price_impact_bps=500)
    decision = desk.route(WSOL_MINT, USDC_MINT, SOLD)
    pool = str(import_module(f"orderd.pools.{KIND}.simnet.genesis").SOL_USDC)

    def trade(least: int) -> list[Instruction]:
        return trade_instructions(desk.router.venue_of, decision.route, LocalChain.trader.pubkey(), least)

    least = decision.route.amount_out
    chain = LocalChain()
    held = chain.amount(chain.held(USDC))
    landed = chain.send(*trade(least))
    seen = {
        "pool": pool,
        "quoted": {quote.pool: quote.amount_out for quote in decision.quotes if quote.pool_kind == KIND},
        "routed": [(leg.pool_kind, leg.pool) for leg in decision.route.legs],
        "promised": least,
        "refused": None if landed.error is None else landed.error.to_json(),
        "paid": chain.amount(chain.held(USDC)) - held,
        "fits": desk.builder.fits(decision.route),
        "too much asked": judged(LocalChain().send(*trade(least + 1))),
        "pool refuses": judged(
            LocalChain(landing_programs=with_refusals(PROGRAMS, frozenset({pool}))).send(*trade(least))
        ),
        "venue away": judged(
            LocalChain(landing_programs=with_outage(PROGRAMS, frozenset({program_of(KIND).venue}))).send(*trade(least))
        ),
        "traded": {each: kinds_traded(chain=each) for each in ("simnet", "devnet", "mainnet")},
        "named": kinds_traded(chain="simnet", pool_kinds=(KIND,)),
        "named on mainnet": misconfigured(chain="mainnet", rpc_url="http://127.0.0.1:1", pool_kinds=json.dumps([KIND])),
        "in the market": pool in {str(place.address) for place in PLACES},
    }
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
