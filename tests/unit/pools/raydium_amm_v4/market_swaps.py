"""The swap instructions of earlier Raydium AMM v4 releases, which name the accounts of the order book."""

from dataclasses import dataclass
from enum import IntEnum

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4.accounts import (
    AmmInfo,
)
from orderd.pools.raydium_amm_v4.addresses import authority_address
from orderd.pools.raydium_amm_v4.program import (
    PROGRAM_ID,
)
from orderd.solana.programs import token
from orderd.solana.programs.layout import U64, Record
from orderd.solana.programs.metas import readonly, signer, writable


class SwapAccount(IntEnum):
    """Account indices of ``SwapBaseIn`` and ``SwapBaseOut``."""

    TOKEN_PROGRAM = 0
    AMM = 1
    AUTHORITY = 2
    OPEN_ORDERS = 3
    COIN_VAULT = 4
    PC_VAULT = 5
    MARKET_PROGRAM = 6
    MARKET = 7
    BIDS = 8
    ASKS = 9
    EVENT_QUEUE = 10
    MARKET_COIN_VAULT = 11
    MARKET_PC_VAULT = 12
    MARKET_VAULT_SIGNER = 13
    USER_SOURCE = 14
    USER_DESTINATION = 15
    USER = 16


@dataclass(frozen=True, slots=True)
class SwapBaseIn(Record):
    """Swap exactly ``amount_in`` base units for at least ``minimum_amount_out``, naming the market's accounts."""

    DISCRIMINATOR = b"\x09"
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOut(Record):
    """Swap at most ``max_amount_in`` base units for exactly ``amount_out``, naming the market's accounts."""

    DISCRIMINATOR = b"\x0b"
    max_amount_in: U64
    amount_out: U64


@dataclass(frozen=True, slots=True)
class Market:
    """The accounts of the order book that the earlier instructions name."""

    bids: Pubkey
    asks: Pubkey
    event_queue: Pubkey
    coin_vault: Pubkey
    pc_vault: Pubkey
    vault_signer: Pubkey


def swap_naming_market(
    order: SwapBaseIn | SwapBaseOut,
    amm: Pubkey,
    state: AmmInfo,
    market: Market,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """The same swap for releases of the program without ``SwapBaseInV2`` and ``SwapBaseOutV2``."""
    accounts = [
        readonly(token.PROGRAM_ID),
        writable(amm),
        readonly(authority_address(program_id)[0]),
        writable(state.open_orders),
        writable(state.coin_vault),
        writable(state.pc_vault),
        readonly(state.market_program),
        writable(state.market),
        writable(market.bids),
        writable(market.asks),
        writable(market.event_queue),
        writable(market.coin_vault),
        writable(market.pc_vault),
        readonly(market.vault_signer),
        writable(source),
        writable(destination),
        signer(user),
    ]
    return Instruction(program_id, order.encode(), accounts)
