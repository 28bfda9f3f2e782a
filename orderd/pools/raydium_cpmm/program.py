"""Raydium CPMM (cp-swap): constant product pools.

Layouts: raydium-io/raydium-cp-swap, `programs/cp-swap/src/{states,instructions,error.rs}`. Anchor discriminators
are the first 8 bytes of sha256("global:<instruction>") and sha256("account:<name>").
"""

from dataclasses import dataclass, replace
from enum import IntFlag
from functools import lru_cache
from typing import Annotated, Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_cpmm.maths.pool import CREATOR_FEE_ON_TOKEN_1, CpmmPool
from orderd.solana.programs.layout import U8, U16, U64, U128, Key, LayoutError, Record, raw
from orderd.solana.programs.metas import readonly, signer, writable
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError

PROGRAM_ID: Final = Pubkey.from_string("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRaycpLY18LhpbydsBWbVJtxpNv9oXPgjRSfpF2bWpYb")

SWAP_UNITS: Final = 33_300
"""Compute units of a swap with its transfers: 30.8k to 33.3k were measured on the deployed program."""

MINT_0_OFFSET: Final = 168
MINT_1_OFFSET: Final = 200

ERRORS: Final = {
    6000: "NotApproved",
    6001: "InvalidOwner",
    6002: "EmptySupply",
    6003: "InvalidInput",
    6004: "IncorrectLpMint",
    6005: "ExceededSlippage",
    6006: "ZeroTradingTokens",
    6007: "NotSupportMint",
    6008: "InvalidVault",
    6009: "InitLpAmountTooLess",
    6012: "InsufficientVault",
}

# Account indices of swap_base_input and swap_base_output.
(
    PAYER,
    AUTHORITY,
    AMM_CONFIG,
    POOL_STATE,
    INPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    INPUT_TOKEN_PROGRAM,
    OUTPUT_TOKEN_PROGRAM,
    INPUT_TOKEN_MINT,
    OUTPUT_TOKEN_MINT,
    OBSERVATION_STATE,
) = range(13)


class PoolStatus(IntFlag):
    """Bits of PoolState.status; each switches something off."""

    DEPOSIT_DISABLED = 1
    WITHDRAW_DISABLED = 2
    SWAP_DISABLED = 4


@dataclass(frozen=True, slots=True)
class AmmConfig(Record):
    """The fee rates (millionths) many pools share, 236 bytes."""

    DISCRIMINATOR = bytes.fromhex("daf42168cbcb2b6f")
    bump: U8
    disable_create_pool: U8
    index: U16
    trade_fee_rate: U64
    protocol_fee_rate: U64
    fund_fee_rate: U64
    create_pool_fee: U64
    protocol_owner: Key
    fund_owner: Key
    creator_fee_rate: U64
    padding: Annotated[bytes, raw(120)] = bytes(120)


@dataclass(frozen=True, slots=True)
class PoolState(Record):
    """A pool, 637 bytes. Fees in base units wait in the vaults for collection; `open_time` in unix seconds."""

    DISCRIMINATOR = bytes.fromhex("f7ede3f5d7c3de46")
    amm_config: Key
    pool_creator: Key
    vault_0: Key
    vault_1: Key
    lp_mint: Key
    mint_0: Key
    mint_1: Key
    token_0_program: Key
    token_1_program: Key
    observation: Key
    auth_bump: U8
    status: U8
    lp_mint_decimals: U8
    mint_0_decimals: U8
    mint_1_decimals: U8
    lp_supply: U64
    protocol_fees_0: U64
    protocol_fees_1: U64
    fund_fees_0: U64
    fund_fees_1: U64
    open_time: U64
    recent_epoch: U64
    creator_fee_on: U8
    enable_creator_fee: U8
    padding_1: Annotated[bytes, raw(6)]
    creator_fees_0: U64
    creator_fees_1: U64
    padding_2: Annotated[bytes, raw(224)] = bytes(224)

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program would swap now; it refuses with NotApproved where this is False."""
        return not self.status & PoolStatus.SWAP_DISABLED and unix_time >= self.open_time

    def check_flags(self) -> None:
        """Raises UnsupportedPoolError where a flag is set that is not known here."""
        if (
            self.status & ~sum(PoolStatus)
            or self.creator_fee_on > CREATOR_FEE_ON_TOKEN_1
            or self.enable_creator_fee > 1
        ):
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)

    def to_pool(self, config: AmmConfig, vault_0: int, vault_1: int) -> CpmmPool:
        """What the maths needs, with the vaults' balances in base units."""
        return CpmmPool(
            trade_fee_rate=config.trade_fee_rate,
            protocol_fee_rate=config.protocol_fee_rate,
            fund_fee_rate=config.fund_fee_rate,
            creator_fee_rate=config.creator_fee_rate,
            vault_0=vault_0,
            vault_1=vault_1,
            protocol_fees_0=self.protocol_fees_0,
            protocol_fees_1=self.protocol_fees_1,
            fund_fees_0=self.fund_fees_0,
            fund_fees_1=self.fund_fees_1,
            creator_fees_0=self.creator_fees_0,
            creator_fees_1=self.creator_fees_1,
            creator_fee_on=self.creator_fee_on,
            enable_creator_fee=bool(self.enable_creator_fee),
        )

    def after(self, pool: CpmmPool, epoch: int) -> "PoolState":
        """The account once a swap left `pool`; the balances are in the vaults."""
        return replace(
            self,
            protocol_fees_0=pool.protocol_fees_0,
            protocol_fees_1=pool.protocol_fees_1,
            fund_fees_0=pool.fund_fees_0,
            fund_fees_1=pool.fund_fees_1,
            creator_fees_0=pool.creator_fees_0,
            creator_fees_1=pool.creator_fees_1,
            recent_epoch=epoch,
        )


OBSERVATIONS: Final = 100
OBSERVATION_SECONDS: Final = 15
"""The program writes a new observation only when the last is at least this old."""


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """Prices in Q32.32, summed over seconds and wrapping; `block_timestamp` in unix seconds."""

    block_timestamp: U64
    cumulative_price_0: U128
    cumulative_price_1: U128


@dataclass(frozen=True, slots=True)
class ObservationState(Record):
    """A pool's price history, 4075 bytes: a ring of 100 observations, kept as bytes until one is asked for."""

    DISCRIMINATOR = bytes.fromhex("7aaec5358109a584")
    initialized: U8
    index: U16
    pool: Key
    observations: Annotated[bytes, raw(OBSERVATIONS * 40)] = bytes(OBSERVATIONS * 40)
    padding: Annotated[bytes, raw(32)] = bytes(32)

    def observation(self, index: int) -> Observation:
        return Observation.decode(self.observations[index * 40 : index * 40 + 40])

    def updated(self, unix_time: int, reserve_0: int, reserve_1: int) -> "ObservationState":
        """The state after a swap, as the program writes it; the reserves are those before the swap."""
        last = self.observation(self.index)
        if not self.initialized:
            return self._with(self.index, Observation(unix_time, 0, 0))
        elapsed = max(unix_time - last.block_timestamp, 0)
        if elapsed < OBSERVATION_SECONDS:
            return self
        price_0, price_1 = (reserve_1 << 32) // reserve_0, (reserve_0 << 32) // reserve_1
        wrap = (1 << 128) - 1
        return self._with(
            (self.index + 1) % OBSERVATIONS,
            Observation(
                unix_time,
                last.cumulative_price_0 + price_0 * elapsed & wrap,
                last.cumulative_price_1 + price_1 * elapsed & wrap,
            ),
        )

    def _with(self, index: int, observation: Observation) -> "ObservationState":
        start = index * 40
        ring = self.observations[:start] + observation.encode() + self.observations[start + 40 :]
        return ObservationState(1, index, self.pool, ring, self.padding)


@dataclass(frozen=True, slots=True)
class SwapBaseInput(Record):
    """Swap exactly `amount_in` base units for at least `minimum_amount_out`."""

    DISCRIMINATOR = bytes.fromhex("8fbe5adac41e33de")
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOutput(Record):
    """Swap at most `max_amount_in` base units for exactly `amount_out`."""

    DISCRIMINATOR = bytes.fromhex("37d96256a34ab4ad")
    max_amount_in: U64
    amount_out: U64


def decode_instruction(data: bytes) -> SwapBaseInput | SwapBaseOutput:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    for kind in (SwapBaseInput, SwapBaseOutput):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"no swap of Raydium CPMM: {data[:8].hex() or 'empty'}")


@lru_cache
def authority_address(program_id: Pubkey = PROGRAM_ID) -> tuple[Pubkey, int]:
    """The owner of all vaults, and its bump."""
    return Pubkey.find_program_address([b"vault_and_lp_mint_auth_seed"], program_id)


def config_address(index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"amm_config", index.to_bytes(2, "big")], program_id)[0]


def pool_address(config: Pubkey, mint_0: Pubkey, mint_1: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """Where the pool of two mints (in byte order) usually is; a pool may live at any other address too."""
    return Pubkey.find_program_address([b"pool", bytes(config), bytes(mint_0), bytes(mint_1)], program_id)[0]


def vault_address(pool: Pubkey, mint: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_vault", bytes(pool), bytes(mint)], program_id)[0]


def lp_mint_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_lp_mint", bytes(pool)], program_id)[0]


def observation_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"observation", bytes(pool)], program_id)[0]


def swap(
    order: SwapBaseInput | SwapBaseOutput,
    pool: Pubkey,
    state: PoolState,
    payer: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    zero_for_one: bool,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap token 0 for token 1, or the other way, from `source` to `destination`; `payer` owns the source and signs."""
    side_0 = (state.vault_0, state.token_0_program, state.mint_0)
    side_1 = (state.vault_1, state.token_1_program, state.mint_1)
    paid, bought = (side_0, side_1) if zero_for_one else (side_1, side_0)
    accounts = [
        signer(payer),
        readonly(authority_address(program_id)[0]),
        readonly(state.amm_config),
        writable(pool),
        writable(source),
        writable(destination),
        writable(paid[0]),
        writable(bought[0]),
        readonly(paid[1]),
        readonly(bought[1]),
        readonly(paid[2]),
        readonly(bought[2]),
        writable(state.observation),
    ]
    return Instruction(program_id, order.encode(), accounts)
