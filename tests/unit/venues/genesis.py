"""A router and a builder on simnet's first block, in this process: no node, no market, and a constant clock."""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from solders.keypair import Keypair

from orderd.domain.pool_kind import PoolKind
from orderd.domain.quote import QuoteRequest, RoutingDecision
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.execution.building import Builder
from orderd.engine.execution.wallet_funds import FundsCheck
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.simnet.genesis import Genesis
from orderd.solana.keys import Wallet
from orderd.solana.transaction import TransactionVersion
from orderd.solana.version_choice import VersionChoice
from orderd.venues.pool_venue import venue_class
from orderd.venues.reading import read_batch
from tests.unit.venues.chain import Chain

NOW = 1_800_000_000
SLIPPAGE_BPS = 50


@dataclass(frozen=True)
class Desk:
    """Its state is read once: all orders use the same pools."""

    router: Router
    builder: Builder

    def route(self, mint_in: str, mint_out: str, amount_in: int) -> RoutingDecision:
        """Raises OrderdError."""
        return self.router.route(QuoteRequest(mint_in, mint_out, amount_in), SLIPPAGE_BPS, self.builder.fits)


def desk_at_genesis(*, max_price_impact_bps: int, version: TransactionVersion = TransactionVersion.V0) -> Desk:
    chain = Chain()
    block = Genesis(NOW).block()
    chain.slot = block.slot
    chain.accounts = {
        key: (account.owner, account.data) for key, account in block.changed.items() if account is not None
    }
    rpc = chain.rpc()
    router = Router(
        [venue_class(kind)(rpc, clock=lambda: 0.0, unix_time=lambda: NOW) for kind in PoolKind],
        read=partial(read_batch, rpc),
        intermediates=WELL_KNOWN["simnet"][:2],
        timeout_ms=60_000,
        max_price_impact_bps=max_price_impact_bps,
        guard=PriceGuard(10_000),
        max_slot_lag=20,
        unit_price=lambda: 0,
        threads=1,
        version=lambda: version,
    )
    no_fees = cast("Any", None)
    wallet, versions = Wallet(Keypair()), VersionChoice.of(version)
    funds_check = FundsCheck(rpc, wallet.address)
    builder = Builder(router, rpc, wallet, no_fees, funds_check, blockhash_age=3_600.0, versions=versions)
    return Desk(router, builder)
