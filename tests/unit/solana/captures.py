"""Accounts of real pools, and the results of swaps in them by the real program or on mainnet
(tests/vectors/captures)."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.swap import SwapErrorKind
from orderd.pools.meteora_damm_v2 import accounts as meteora_damm_v2
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.maths.pool import DlmmPool
from orderd.pools.raydium_clmm import accounts as raydium_clmm
from orderd.pools.raydium_clmm.maths.pool import ClmmPool
from tests.unit.amm.vectors import VECTORS, load
from tests.unit.solana.records import blank

DLMM_FILES = sorted(path.name for path in (VECTORS / "captures").glob("meteora_dlmm__*.json"))

ACCOUNT_NOT_ENOUGH_KEYS = "Custom(3005)"
UNDETERMINED = "Custom(6085)"
OUT_OF_UNITS = "ProgramFailedToComplete"
REFUSALS = {
    ACCOUNT_NOT_ENOUGH_KEYS: SwapErrorKind.INSUFFICIENT_LIQUIDITY,
    UNDETERMINED: SwapErrorKind.OUTPUT_FALLS_SHORT,
    # The swap asks for more than the arrays hold; the program runs out of compute units before it detects that.
    OUT_OF_UNITS: SwapErrorKind.INSUFFICIENT_LIQUIDITY,
}
"""Parts of the program's answers in captures, and the errors of our maths for them."""


@dataclass(frozen=True)
class DlmmCapture:
    """The captured accounts around a pair (owner and data), and swaps that the program was asked for."""

    pair: Pubkey
    accounts: dict[Pubkey, tuple[Pubkey, bytes]]
    cases: list[dict[str, Any]]
    unix_time: int
    slot: int

    @property
    def state(self) -> LbPair:
        return LbPair.decode(self.accounts[self.pair][1])

    @property
    def arrays(self) -> list[BinArray]:
        data = [data for _, data in self.accounts.values()]
        return [BinArray.decode(each) for each in data if each.startswith(BinArray.DISCRIMINATOR)]

    @property
    def pool(self) -> DlmmPool:
        return self.state.to_pool(self.arrays)


def dlmm_capture(file: str) -> DlmmCapture:
    document = load(f"captures/{file}")
    return DlmmCapture(
        pair=Pubkey.from_string(document["pool"]),
        accounts={
            Pubkey.from_string(address): (Pubkey.from_string(account["owner"]), base64.b64decode(account["data"]))
            for address, account in document["accounts"].items()
        },
        cases=document["cases"],
        unix_time=document["unix_timestamp"],
        slot=document["slot"],
    )


DLMM = {file: dlmm_capture(file) for file in DLMM_FILES}


def dlmm_cases() -> list[Any]:
    """Parameters: each file's name with one of its cases."""
    return [
        pytest.param(file, case, id=f"{file.removesuffix('.json').removeprefix('meteora_dlmm__')}-{number}")
        for file, capture in DLMM.items()
        for number, case in enumerate(capture.cases)
    ]


def refusal(expected: dict[str, Any]) -> str | None:
    """The entry of ``REFUSALS`` that matches the program's answer, if any."""
    if "error" not in expected:
        return None
    (found,) = (each for each in REFUSALS if each in expected["error"])
    return found


MAINNET_SWAPS = load("captures/raydium_clmm__mainnet_swaps.json")


def clmm_pool(swap: dict[str, Any]) -> ClmmPool:
    """The pool just before a swap on mainnet."""
    rates = ("trade_fee_rate", "protocol_fee_rate", "fund_fee_rate")
    config = blank(raydium_clmm.AmmConfig, **{rate: MAINNET_SWAPS[rate] for rate in rates})
    arrays = [raydium_clmm.TickArrayState.decode(base64.b64decode(each)) for each in swap["tick_arrays"].values()]
    return raydium_clmm.PoolState.decode(base64.b64decode(swap["pool_account"])).to_pool(config, arrays)


DAMM_V2 = load("captures/meteora_damm_v2__mainnet_pools.json")["pools"]
DAMM_V2_REFUSALS = {
    "MathOverflow": SwapErrorKind.INSUFFICIENT_LIQUIDITY,
    "ExceededSlippage": SwapErrorKind.ZERO_OUTPUT,  # one base unit was the least that was accepted
}


def damm_v2_pool(pool: dict[str, Any]) -> meteora_damm_v2.Pool:
    return meteora_damm_v2.Pool.decode(base64.b64decode(pool["account"]))
