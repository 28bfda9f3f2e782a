"""What both sides of the daemon trade with: one endpoint, one wallet, the venues and the tokens."""

from dataclasses import dataclass
from functools import partial

from orderd.domain.retry import RetryPolicy
from orderd.domain.tokens import TokenRegistry
from orderd.engine.building import Builder
from orderd.engine.chain import CheckedTransport, check_chain
from orderd.engine.routing import Router
from orderd.settings import Settings
from orderd.solana.keys import Wallet, load_wallet
from orderd.solana.rpc import RpcClient
from orderd.solana.sender import Sender
from orderd.solana.transport import HttpTransport
from orderd.venues.meteora import Meteora
from orderd.venues.raydium import Raydium


@dataclass(frozen=True, slots=True)
class Trading:
    """Made once a process."""

    tokens: TokenRegistry
    rpc: RpcClient
    wallet: Wallet
    router: Router
    builder: Builder
    sender: Sender
    retry: RetryPolicy


def open_trading(settings: Settings) -> Trading:
    """Raises WalletError where the wallet cannot be read, ValueError where no RPC endpoint is configured."""
    if settings.rpc_url is None:
        raise ValueError("no RPC endpoint: set ORDERD_RPC_URL, or use `orderd run`, which brings its own")
    checked = CheckedTransport(HttpTransport(settings.rpc_url), partial(check_chain, settings.chain))
    rpc = RpcClient(settings.rpc_url, transport=checked)
    wallet = load_wallet(settings.wallet_path)
    age_ms = settings.pool_max_age_ms
    router = Router(
        (
            Raydium(rpc, addresses=settings.raydium_pools, max_age_ms=age_ms),
            Meteora(rpc, addresses=settings.meteora_pools, max_age_ms=age_ms),
        ),
        timeout_ms=settings.venue_timeout_ms,
        max_price_impact_bps=settings.max_price_impact_bps,
        threads=settings.worker_threads,
    )
    builder = Builder(
        router, rpc, wallet, micro_lamports_a_unit=settings.compute_unit_price, blockhash_age=age_ms / 1000
    )
    # simnet's blocks stand once they are sealed; elsewhere only a finalized height proves that nothing can land.
    sender = Sender(rpc, "confirmed" if settings.chain == "simnet" else "finalized")
    retry = RetryPolicy(max_attempts=settings.max_attempts, base_ms=settings.retry_base_ms)
    return Trading(TokenRegistry(), rpc, wallet, router, builder, sender, retry)
