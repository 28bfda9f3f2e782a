"""Which pools of a kind are traded, and why others are left out."""

from solders.pubkey import Pubkey

from orderd.commands.coverage import by_reason
from orderd.domain.pool_kind import PoolKind
from orderd.proving.market import ProvingMarket
from orderd.simnet import sysvars
from orderd.simnet.invoke import Clock
from orderd.solana.chain_time import CLOCK
from tests.unit.amm.vectors import load
from tests.unit.venues.chain import Chain, put_clmm

LOW, HIGH = Pubkey.from_bytes(b"\x0a" * 32), Pubkey.from_bytes(b"\x0b" * 32)
REAL = load("raydium_clmm.json")["pools"]["real_wsol_usdc_4bps"]


def test_pools_are_counted_by_the_reason_for_leaving_them_out() -> None:
    chain = Chain()
    traded, unknown, off, reserved = (Pubkey.from_bytes(bytes([number] * 32)) for number in (1, 2, 3, 4))
    put_clmm(chain, traded, LOW, HIGH, REAL)
    put_clmm(chain, unknown, LOW, HIGH, REAL, fee_on=3)
    put_clmm(chain, off, LOW, HIGH, REAL, status=16)
    put_clmm(chain, reserved, LOW, HIGH, REAL, padding_1=1)
    clock = sysvars.clock_account(Clock(1, 1_800_000_000))
    chain.accounts[CLOCK] = (clock.owner, clock.data)
    market = ProvingMarket(chain.rpc(), [PoolKind.RAYDIUM_CLMM], "simnet", {})
    assert by_reason(market, PoolKind.RAYDIUM_CLMM, [(str(LOW), str(HIGH))]) == {
        None: {str(traded)},
        "fee_side": {str(unknown)},
        "POOL_CLOSED": {str(off)},
        "reserved_bytes (PoolState.padding_1)": {str(reserved)},
    }
