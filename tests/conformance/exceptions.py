"""What handlers and binaries do otherwise, and why that is right."""

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


class LeftOut(NamedTuple):
    """What of an account is not compared."""

    without: Callable[[Any], Record]
    reason: str


class OtherVerdict(NamedTuple):
    """Of a program: what the handler ends with and what the binary, by the name of the error; None if it lands."""

    program: Pubkey
    handler: str | None
    binary: str | None
    reason: str


ACCOUNTS: Final[Mapping[tuple[Pubkey, type[Record]], LeftOut]] = {
    (CLMM, clmm.PoolState): LeftOut(
        lambda state: replace(state, counters_1=bytes(64), counters_2=bytes(32)),
        "The release of April 2026 counts what was swapped and what it cost; the sources have dropped it since",
    ),
    (AMM_V4, amm_v4.AmmInfo): LeftOut(
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
        "The release of June 2025 counts what was swapped and its fees; the sources of July 2026 do not, and store the "
        "epoch instead",
    ),
}
VERDICTS: Final = (
    *(
        OtherVerdict(
            CPMM,
            handler,
            "RequireGtViolated",
            "A purchase of less than what one base unit buys: the release of February 2025 rounds its cost to nothing "
            "and refuses it, the sources since August 2025 round it up",
        )
        for handler in (None, "ExceededSlippage")
    ),
    OtherVerdict(
        DLMM,
        "UndeterminedError",
        "InsufficientInAmount",
        "A purchase that ends among limit orders, where rounding gives less than was asked for, and that its limit "
        "does not pay either: the handler looks at the rounding first",
    ),
    OtherVerdict(
        DAMM_V2,
        "AmountIsZero",
        None,
        "A swap whose output rounds to nothing: the program takes the input and pays nothing, the SDK refuses it, and "
        "so does the maths here; orderd sends none",
    ),
)
DUST: Final = (
    "AMM v4, less than 400 base units of input: the release of June 2025 rounds the fee and the price of dust to the "
    "nearest, the sources since August 2025 round them up"
)
OUT_OF_UNITS: Final = (
    "One runs out of compute units where the other, which has used nearly as many, ends with another error"
)


def compared(account: LedgerAccount | None) -> LedgerAccount | None:
    """The account without what is left out."""
    if account is None:
        return None
    for (program, layout), left_out in ACCOUNTS.items():
        if account.owner == program and account.data.startswith(layout.DISCRIMINATOR):
            return account._replace(data=left_out.without(layout.decode(account.data)).encode())
    return account


def is_known(program: Pubkey, handler: str | None, binary: str | None) -> bool:
    """Whether it is known that verdicts differ like this."""
    return any(known[:3] == (program, handler, binary) for known in VERDICTS)
