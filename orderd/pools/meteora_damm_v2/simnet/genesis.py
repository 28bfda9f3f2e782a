"""Meteora DAMM v2's pool in the first block, of wrapped SOL and USDC."""

from fractions import Fraction
from math import isqrt
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.amm.swap import ceil_div
from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_damm_v2.accounts import BaseFee, DynamicFee, Pool, PoolFees, PoolMetrics
from orderd.pools.meteora_damm_v2.addresses import POOL_AUTHORITY_ADDRESS, vault_address
from orderd.pools.meteora_damm_v2.program import PROGRAM_ID
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import USDC, FirstAccounts, FirstPool, integers, snapshot
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token

SOL_USDC_DAMM_V2: Final = Pubkey.from_string("CGPxT5d1uf9a8cKVJuZaJAU76t2EfLGbTmRbfvLLZp5j")


def add(first: FirstAccounts, recorded: dict[str, Any], pool: Pubkey, mint_b: Pubkey = USDC) -> None:
    """A pool of wrapped SOL and another token, with its vaults. Its volatility is at rest since the chain began."""
    mint_a = token.NATIVE_MINT
    dynamic = integers(recorded["dynamic_fee"]) | {"last_update_timestamp": first.time}
    base = integers(recorded["base_fee"])
    fees = PoolFees(
        base_fee=BaseFee(padding_0=bytes(5), **base),
        protocol_fee_percent=int(recorded["protocol_fee_percent"]),
        padding_0=0,
        referral_fee_percent=int(recorded["referral_fee_percent"]),
        padding_1=bytes(3),
        compounding_fee_bps=int(recorded["compounding_fee_bps"]),
        dynamic_fee=DynamicFee(padding=bytes(7), **dynamic),
        init_sqrt_price=int(recorded["init_sqrt_price"]),
    )
    vault_a, vault_b = (
        vault_address(pool, mint_a),
        vault_address(pool, mint_b),
    )
    state = Pool(
        fees=fees,
        token_a_mint=mint_a,
        token_b_mint=mint_b,
        token_a_vault=vault_a,
        token_b_vault=vault_b,
        whitelisted_vault=Pubkey.default(),
        padding_0=bytes(32),
        liquidity=int(recorded["liquidity"]),
        padding_1=0,
        protocol_a_fee=int(recorded["protocol_a_fee"]),
        protocol_b_fee=int(recorded["protocol_b_fee"]),
        dead_liquidity_fee_checkpoint=0,
        padding_2=0,
        sqrt_min_price=int(recorded["sqrt_min_price"]),
        sqrt_max_price=int(recorded["sqrt_max_price"]),
        sqrt_price=int(recorded["sqrt_price"]),
        activation_point=int(recorded["activation_point"]),
        activation_type=int(recorded["activation_type"]),
        pool_status=int(recorded["pool_status"]),
        token_a_flag=0,
        token_b_flag=0,
        collect_fee_mode=int(recorded["collect_fee_mode"]),
        pool_type=int(recorded["pool_type"]),
        fee_version=int(recorded["fee_version"]),
        padding_3=0,
        fee_a_per_liquidity=0,
        fee_b_per_liquidity=0,
        permanent_lock_liquidity=0,
        metrics=PoolMetrics(0, 0, 0, 0, bytes(16), 1, 0),
        creator=POOL_CREATOR.pubkey(),
        token_a_amount=int(recorded["token_a_amount"]),
        token_b_amount=int(recorded["token_b_amount"]),
        layout_version=int(recorded["layout_version"]),
        padding_4=bytes(31),
    )
    first.data(pool, PROGRAM_ID, state.encode())
    authority = POOL_AUTHORITY_ADDRESS
    first.tokens(authority, mint_a, state.token_a_amount + state.protocol_a_fee, vault_a)
    first.tokens(authority, mint_b, state.token_b_amount + state.protocol_b_fee, vault_b)


def sol_usdc(first: FirstAccounts, price: Fraction | None = None) -> None:
    """The pool at the price of the other pools, or at ``price``, in base units of USDC per lamport.

    The snapshot is re-centred, because it was recorded on another day than those of the other pools.
    """
    recorded = snapshot(PoolKind.METEORA_DAMM_V2, "recentred_sol_usdc_25bps")
    add(first, recorded if price is None else _at(price, recorded), SOL_USDC_DAMM_V2)


def _at(price: Fraction, recorded: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with the same liquidity around another price; its range moves with the price."""
    before, after = int(recorded["sqrt_price"]), isqrt((price.numerator << 128) // price.denominator)
    moved = {name: int(recorded[name]) * after // before for name in ("sqrt_min_price", "sqrt_max_price")}
    return recorded | {
        **moved,
        "sqrt_price": after,
        "token_a_amount": ceil_div(int(recorded["token_a_amount"]) * before, after),
        "token_b_amount": ceil_div(int(recorded["token_b_amount"]) * after, before),
        "dynamic_fee": recorded["dynamic_fee"] | {"sqrt_price_reference": after},
    }


RENEWALS: Final[Renewals] = {}
POOLS: Final = (FirstPool(USDC, sol_usdc),)
