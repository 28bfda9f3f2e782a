"""Raydium AMM v4's pool in the first block, of wrapped SOL and USDC."""

from fractions import Fraction
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.raydium_amm_v4.accounts import AmmInfo, Fees, StateData
from orderd.pools.raydium_amm_v4.addresses import authority_address
from orderd.pools.raydium_amm_v4.program import PROGRAM_ID
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import USDC, FirstAccounts, FirstPool, reserves_at, snapshot
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token
from orderd.solana.programs.token import Mint

SOL_USDC_AMM_V4: Final = Pubkey.from_string("58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2")
_LP_DECIMALS: Final = 9
_LP_SUPPLY: Final = 10**12


def add(first: FirstAccounts, recorded: dict[str, Any], pool: Pubkey) -> None:
    """Add a pool with its vaults. The accounts of its former order book do not exist, only their addresses."""
    key = {name: Pubkey.from_string(address) for name, address in recorded["addresses"].items()}
    authority, nonce = authority_address()
    fee = int(recorded["swap_fee_numerator"]), int(recorded["swap_fee_denominator"])
    state_data = StateData(
        need_take_pnl_coin=int(recorded["need_take_pnl_coin"]),
        need_take_pnl_pc=int(recorded["need_take_pnl_pc"]),
        total_pnl_pc=0,
        total_pnl_coin=0,
        pool_open_time=0,
        padding=bytes(16),
        orderbook_to_init_time=0,
        swap_coin_in_amount=0,
        swap_pc_out_amount=0,
        swap_acc_pc_fee=0,
        swap_pc_in_amount=0,
        swap_coin_out_amount=0,
        swap_acc_coin_fee=0,
    )
    state = AmmInfo(
        status=int(recorded["status"]),
        nonce=nonce,
        order_num=0,
        depth=0,
        coin_decimals=int(recorded["coin_decimals"]),
        pc_decimals=int(recorded["pc_decimals"]),
        state=0,
        reset_flag=0,
        min_size=0,
        vol_max_cut_ratio=0,
        amount_wave=0,
        coin_lot_size=0,
        pc_lot_size=0,
        min_price_multiplier=0,
        max_price_multiplier=0,
        sys_decimal_value=0,
        fees=Fees(5, 10_000, *fee, 12, 100, *fee),
        state_data=state_data,
        coin_mint=token.NATIVE_MINT,
        pc_mint=USDC,
        padding_1=bytes(64),
        amm_owner=POOL_CREATOR.pubkey(),
        lp_amount=_LP_SUPPLY,
        client_order_id=0,
        recent_epoch=0,
        padding_2=0,
        **key,
    )
    first.data(pool, PROGRAM_ID, state.encode())
    first.mint(state.lp_mint, Mint.new(_LP_DECIMALS, supply=_LP_SUPPLY, authority=authority))
    first.tokens(authority, token.NATIVE_MINT, int(recorded["coin_vault_amount"]), state.coin_vault)
    first.tokens(authority, USDC, int(recorded["pc_vault_amount"]), state.pc_vault)


def sol_usdc(first: FirstAccounts, price: Fraction | None = None) -> None:
    """The pool at the snapshot's price, or at ``price``, in base units of USDC per lamport."""
    recorded = snapshot(PoolKind.RAYDIUM_AMM_V4, "semi_real_sol_usdc")
    add(first, recorded if price is None else _at(price, recorded), SOL_USDC_AMM_V4)


def _at(price: Fraction, recorded: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with the same liquidity at another price. The amounts owed to the owner stay the same."""
    owed = int(recorded["need_take_pnl_coin"]), int(recorded["need_take_pnl_pc"])
    coin, pc = int(recorded["coin_vault_amount"]) - owed[0], int(recorded["pc_vault_amount"]) - owed[1]
    coin, pc = reserves_at(price, coin * pc)
    return recorded | {"coin_vault_amount": coin + owed[0], "pc_vault_amount": pc + owed[1]}


RENEWALS: Final[Renewals] = {}
POOLS: Final = (FirstPool(USDC, sol_usdc),)
