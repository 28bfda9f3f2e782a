"""Raydium AMM v4: the constant product pools from before Anchor, once tied to an order book.

Layouts: raydium-io/raydium-amm, `program/src/{state,instruction,error}.rs`. An account has no discriminator, an
instruction starts with one byte. The program has left the order book: the instructions of old (`SwapBaseIn`,
`SwapBaseOut`) still name the market's accounts, those of today (`SwapBaseInV2`, `SwapBaseOutV2`) do without.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool
from orderd.solana.programs import token
from orderd.solana.programs.layout import U64, U128, Key, LayoutError, Record, raw
from orderd.solana.programs.metas import readonly, signer, writable
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError

PROGRAM_ID: Final = Pubkey.from_string("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRaya7Kj3aMWQSy19kSjvmuwq9docCHofyP9kanQGaav")

SWAP_UNITS: Final = 21_000
"""Compute units of a swap with its transfers: 19k to 21k were measured on the deployed program."""

COIN_MINT_OFFSET: Final = 400
PC_MINT_OFFSET: Final = 432

ERRORS: Final = {
    1: "InvalidProgramAddress",
    4: "InvalidCoinVault",
    5: "InvalidPCVault",
    18: "InvalidOwner",
    21: "InvalidSignAccount",
    22: "InvalidStatus",
    23: "InvalidInstruction",
    24: "WrongAccountsNumber",
    27: "InvalidAmmAccountOwner",
    29: "InvalidInput",
    30: "ExceededSlippage",
    31: "CalculationExRateFailure",
    38: "InvalidSplTokenProgram",
    40: "InsufficientFunds",
    41: "ConversionFailure",
    42: "InvalidUserToken",
    55: "UnknownAmmError",
    56: "NotAllowed",
}
"""The program logs no name with its number, so an error is known by its number; all known releases share these."""


class SwapV2Account(IntEnum):
    """Account indices of `SwapBaseInV2` and `SwapBaseOutV2`."""

    TOKEN_PROGRAM = 0
    AMM = 1
    AUTHORITY = 2
    COIN_VAULT = 3
    PC_VAULT = 4
    USER_SOURCE = 5
    USER_DESTINATION = 6
    USER = 7


class SwapAccount(IntEnum):
    """Account indices of `SwapBaseIn` and `SwapBaseOut`."""

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


class AmmStatus(IntEnum):
    UNINITIALIZED = 0
    INITIALIZED = 1
    DISABLED = 2
    WITHDRAW_ONLY = 3
    LIQUIDITY_ONLY = 4
    ORDER_BOOK_ONLY = 5
    SWAP_ONLY = 6
    WAITING_TRADE = 7
    """Becomes SWAP_ONLY with the first swap after `pool_open_time`."""


_SWAPPING: Final = frozenset({AmmStatus.INITIALIZED, AmmStatus.SWAP_ONLY, AmmStatus.WAITING_TRADE})


@dataclass(frozen=True, slots=True)
class Fees(Record):
    """Fractions; a swap takes `swap_fee`, the others belong to the order book of old."""

    min_separate_numerator: U64
    min_separate_denominator: U64
    trade_fee_numerator: U64
    trade_fee_denominator: U64
    pnl_numerator: U64
    pnl_denominator: U64
    swap_fee_numerator: U64
    swap_fee_denominator: U64


@dataclass(frozen=True, slots=True)
class StateData(Record):
    """What is owed to the pool's owner (`need_take_pnl_*`, base units in the vaults), and counters.

    `pool_open_time` in unix seconds.
    """

    need_take_pnl_coin: U64
    need_take_pnl_pc: U64
    total_pnl_pc: U64
    total_pnl_coin: U64
    pool_open_time: U64
    padding: Annotated[bytes, raw(16)]
    orderbook_to_init_time: U64
    swap_coin_in_amount: U128
    swap_pc_out_amount: U128
    swap_acc_pc_fee: U64
    swap_pc_in_amount: U128
    swap_coin_out_amount: U128
    swap_acc_coin_fee: U64


@dataclass(frozen=True, slots=True)
class AmmInfo(Record):
    """A pool, 752 bytes."""

    status: U64
    nonce: U64
    order_num: U64
    depth: U64
    coin_decimals: U64
    pc_decimals: U64
    state: U64
    reset_flag: U64
    min_size: U64
    vol_max_cut_ratio: U64
    amount_wave: U64
    coin_lot_size: U64
    pc_lot_size: U64
    min_price_multiplier: U64
    max_price_multiplier: U64
    sys_decimal_value: U64
    fees: Fees
    state_data: StateData
    coin_vault: Key
    pc_vault: Key
    coin_mint: Key
    pc_mint: Key
    lp_mint: Key
    open_orders: Key
    market: Key
    market_program: Key
    target_orders: Key
    padding_1: Annotated[bytes, raw(64)]
    amm_owner: Key
    lp_amount: U64
    client_order_id: U64
    recent_epoch: U64
    padding_2: U64

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program would swap now; it refuses with InvalidStatus where this is False."""
        if self.status == AmmStatus.WAITING_TRADE:
            return unix_time >= self.state_data.pool_open_time
        return self.status in _SWAPPING

    def to_pool(
        self, coin_vault: int, pc_vault: int, *, open_orders_coin: int = 0, open_orders_pc: int = 0
    ) -> AmmV4Pool:
        """What the maths needs, with the balances of the vaults in base units.

        What the open orders hold counts for the program's older releases only, which placed it on the order book.
        Raises UnsupportedPoolError for a status that never swaps and for a pool of one token with itself.
        """
        if self.status not in _SWAPPING:
            raise UnsupportedPoolError(Unsupported.SWAPS_OFF)
        if self.coin_mint == self.pc_mint:
            raise UnsupportedPoolError(Unsupported.SAME_MINTS)
        return AmmV4Pool(
            status=self.status,
            swap_fee_numerator=self.fees.swap_fee_numerator,
            swap_fee_denominator=self.fees.swap_fee_denominator,
            need_take_pnl_coin=self.state_data.need_take_pnl_coin,
            need_take_pnl_pc=self.state_data.need_take_pnl_pc,
            coin_vault=coin_vault,
            pc_vault=pc_vault,
            open_orders_coin=open_orders_coin,
            open_orders_pc=open_orders_pc,
        )


@dataclass(frozen=True, slots=True)
class SwapBaseIn(Record):
    """Swap exactly `amount_in` base units for at least `minimum_amount_out`, naming the market's accounts."""

    DISCRIMINATOR = b"\x09"
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOut(Record):
    """Swap at most `max_amount_in` base units for exactly `amount_out`, naming the market's accounts."""

    DISCRIMINATOR = b"\x0b"
    max_amount_in: U64
    amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseInV2(Record):
    """Swap exactly `amount_in` base units for at least `minimum_amount_out`."""

    DISCRIMINATOR = b"\x10"
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOutV2(Record):
    """Swap at most `max_amount_in` base units for exactly `amount_out`."""

    DISCRIMINATOR = b"\x11"
    max_amount_in: U64
    amount_out: U64


def decode_instruction(data: bytes) -> SwapBaseIn | SwapBaseOut | SwapBaseInV2 | SwapBaseOutV2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    for kind in (SwapBaseIn, SwapBaseOut, SwapBaseInV2, SwapBaseOutV2):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"no swap of Raydium AMM v4: {data[:1].hex() or 'empty'}")


@lru_cache
def authority_address(program_id: Pubkey = PROGRAM_ID) -> tuple[Pubkey, int]:
    """The owner of all vaults, and its bump, which AmmInfo keeps as its nonce."""
    return Pubkey.find_program_address([b"amm authority"], program_id)


def swap(
    order: SwapBaseInV2 | SwapBaseOutV2,
    amm: Pubkey,
    state: AmmInfo,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap between `source` and `destination`; the direction follows from the accounts' mints. `user` signs."""
    accounts = [
        readonly(token.PROGRAM_ID),
        writable(amm),
        readonly(authority_address(program_id)[0]),
        writable(state.coin_vault),
        writable(state.pc_vault),
        writable(source),
        writable(destination),
        signer(user),
    ]
    return Instruction(program_id, order.encode(), accounts)


@dataclass(frozen=True, slots=True)
class Market:
    """The accounts of the order book that the instructions of old name."""

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
    """The same swap for releases of the program that do not know `SwapBaseInV2` and `SwapBaseOutV2` yet."""
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
