"""Known differences between handlers and binaries, with reasons."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2.program import PROGRAM_ID as DAMM_V2
from orderd.pools.meteora_dlmm.program import PROGRAM_ID as DLMM
from orderd.pools.raydium_amm_v4 import accounts as amm_v4
from orderd.pools.raydium_amm_v4.program import PROGRAM_ID as AMM_V4
from orderd.pools.raydium_clmm import accounts as clmm
from orderd.pools.raydium_clmm.program import PROGRAM_ID as CLMM
from orderd.pools.raydium_cpmm.program import PROGRAM_ID as CPMM
from orderd.simnet.account import LedgerAccount
from orderd.solana.programs.layout import Record


class IgnoredFields(NamedTuple):
    """Fields of an account that are not compared."""

    without: Callable[[Any], Record]
    reason: str


class KnownVerdicts(NamedTuple):
    """The names of a program's errors of the handler and of the binary, None for success."""

    program: Pubkey
    handler: str | None
    binary: str | None
    reason: str


ACCOUNTS: Final[Mapping[tuple[Pubkey, type[Record]], IgnoredFields]] = {
    (CLMM, clmm.PoolState): IgnoredFields(
        lambda state: replace(state, counters_1=bytes(64), counters_2=bytes(32)),
        "The release of April 2026 counts swapped amounts and fees; the sources have removed the counters since",
    ),
    (AMM_V4, amm_v4.AmmInfo): IgnoredFields(
        lambda amm: replace(
            amm,
            recent_epoch=0,
            state_data=replace(
                amm.state_data,
                swap_coin_in_amount=0,
                swap_pc_out_amount=0,
                swap_acc_coin_fee=0,
                swap_pc_in_amount=0,
                swap_coin_out_amount=0,
                swap_acc_pc_fee=0,
            ),
        ),
        "The release of June 2025 counts swapped amounts and fees; the sources of July 2026 store the epoch instead",
    ),
}
VERDICTS: Final = (
    *(
        KnownVerdicts(
            CPMM,
            handler,
            "RequireGtViolated",
            "A purchase that costs less than one base unit: the release of February 2025 rounds its cost to zero "
            "and refuses it, the sources since August 2025 round it up",
        )
        for handler in (None, "ExceededSlippage")
    ),
    KnownVerdicts(
        DLMM,
        "UndeterminedError",
        "InsufficientInAmount",
        "A purchase that ends among limit orders, is rounded to less than the requested amount, and also exceeds its "
        "limit: the handler checks the rounding first",
    ),
    KnownVerdicts(
        DAMM_V2,
        "AmountIsZero",
        None,
        "A swap whose output rounds to zero: the program takes the input and pays nothing; the SDK and orderd's "
        "maths refuse it, and orderd never sends one",
    ),
)
DUST: Final = (
    "AMM v4, less than 400 base units of input: the release of June 2025 rounds the fee and the price to the "
    "nearest, the sources since August 2025 round them up"
)
OUT_OF_UNITS: Final = (
    "One runs out of compute units, and the other, which has used nearly as many, ends with another error"
)


def compared(account: LedgerAccount | None) -> LedgerAccount | None:
    """The account without its ignored fields."""
    if account is None:
        return None
    for (program, layout), ignored in ACCOUNTS.items():
        if account.owner == program and account.data.startswith(layout.DISCRIMINATOR):
            return account._replace(data=ignored.without(layout.decode(account.data)).encode())
    return account


def is_known(program: Pubkey, handler: str | None, binary: str | None) -> bool:
    """Whether this difference of verdicts is in VERDICTS."""
    return any(known[:3] == (program, handler, binary) for known in VERDICTS)
