"""Meteora DAMM v2: accounts as on mainnet, and swap instructions as the program parses them."""

import hashlib
import random
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError
from orderd.pools.meteora_damm_v2 import accounts as damm_accounts
from orderd.pools.meteora_damm_v2 import addresses as damm_addresses
from orderd.pools.meteora_damm_v2 import instructions as damm_instructions
from orderd.pools.meteora_damm_v2 import program as damm
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_damm_v2.simnet import handler as damm_handler
from orderd.pools.meteora_damm_v2.simnet.write_back import pool_after
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError
from tests.unit.amm.vectors import cases, load
from tests.unit.solana.records import blank, key, uses

DOCUMENT = load("meteora_damm_v2.json")
CASES = cases(DOCUMENT)
REAL = DOCUMENT["pools"]["real_sol_usdc_25bps"]


def account_of(pool: dict[str, Any]) -> damm_accounts.Pool:
    fees = blank(
        damm_accounts.PoolFees,
        base_fee=blank(damm_accounts.BaseFee, **pool["base_fee"]),
        protocol_fee_percent=pool["protocol_fee_percent"],
        referral_fee_percent=pool["referral_fee_percent"],
        compounding_fee_bps=pool["compounding_fee_bps"],
        dynamic_fee=blank(damm_accounts.DynamicFee, **pool["dynamic_fee"]),
        init_sqrt_price=pool["init_sqrt_price"],
    )
    names = damm_accounts.Pool.__slots__
    return blank(damm_accounts.Pool, fees=fees, **{name: value for name, value in pool.items() if name in names})


def plain_account(**fields: Any) -> damm_accounts.Pool:
    return replace(account_of(REAL), **fields)


def with_base_fee(**fields: Any) -> damm_accounts.Pool:
    account = account_of(REAL)
    return replace(account, fees=replace(account.fees, base_fee=replace(account.fees.base_fee, **fields)))


def test_the_account_has_the_programs_size_and_survives_a_round_trip() -> None:
    generator = random.Random("Pool")
    assert damm_accounts.Pool.size() == 1112
    for _ in range(20):
        data = damm_accounts.Pool.DISCRIMINATOR + generator.randbytes(1104)
        assert damm_accounts.Pool.decode(data).encode() == data
    with pytest.raises(LayoutError, match="starts with"):
        damm_accounts.Pool.decode(bytes(1112))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (damm_accounts.Pool, "account:Pool"),
        (damm_instructions.Swap2, "global:swap2"),
        (damm_instructions.Swap, "global:swap"),
    ],
)
def test_discriminators_are_anchors(kind: type[damm_accounts.Pool], name: str) -> None:
    assert hashlib.sha256(name.encode()).digest()[:8] == kind.DISCRIMINATOR


@pytest.mark.parametrize(
    ("offset", "size", "name"),
    [
        (40, 1, "fees.protocol_fee_percent"),
        (46, 2, "fees.compounding_fee_bps"),
        (8, 1, "fees.base_fee.base_fee_mode"),
        (14, 2, "fees.base_fee.number_of_period"),
        (24, 8, "fees.base_fee.reduction_factor"),
        (48, 1, "fees.dynamic_fee.initialized"),
        (64, 2, "fees.dynamic_fee.bin_step"),
        (72, 8, "fees.dynamic_fee.last_update_timestamp"),
        (128, 16, "fees.dynamic_fee.volatility_reference"),
        (144, 16, "fees.init_sqrt_price"),
        (352, 16, "liquidity"),
        (392, 8, "protocol_b_fee"),
        (416, 16, "sqrt_min_price"),
        (448, 16, "sqrt_price"),
        (464, 8, "activation_point"),
        (473, 1, "pool_status"),
        (475, 1, "token_b_flag"),
        (476, 1, "collect_fee_mode"),
        (478, 1, "fee_version"),
        (672, 8, "token_a_amount"),
        (688, 1, "layout_version"),
    ],
)
def test_fields_lie_where_the_program_reads_them(offset: int, size: int, name: str) -> None:
    marked = bytearray(1104)
    marked[offset : offset + size] = b"\x5a" * size
    field: Any = damm_accounts.Pool.decode(damm_accounts.Pool.DISCRIMINATOR + marked)
    for part in name.split("."):
        field = getattr(field, part)
    assert field == int.from_bytes(b"\x5a" * size, "little")


def test_keys_have_the_offsets_used_by_discovery() -> None:
    data = plain_account(token_a_mint=key(1), token_b_mint=key(2)).encode()
    assert data[damm_accounts.Pool.offset("token_a_mint") :][:32] == bytes(key(1))
    assert data[damm_accounts.Pool.offset("token_b_mint") :][:32] == bytes(key(2))


def test_program_addresses_are_those_on_mainnet() -> None:
    assert str(damm_addresses.POOL_AUTHORITY_ADDRESS) == "HLnpSz9h2S4hiLQ43rnSD9XkcUThA7B8hQMKmDaiTLcC"
    assert str(damm_addresses.EVENT_AUTHORITY_ADDRESS) == "3rmHSu74h1ZcmAisVcWerTCiRDQbUrBKmcwptYGjHfet"


def pool_address(config: Pubkey, mint: Pubkey, other: Pubkey) -> Pubkey:
    """The address of the pool of two mints with a configuration; the order of the mints does not matter."""
    low, high = sorted((bytes(mint), bytes(other)))
    return Pubkey.find_program_address([b"pool", bytes(config), high, low], damm.PROGRAM_ID)[0]


def customizable_pool_address(mint: Pubkey, other: Pubkey) -> Pubkey:
    """The address of the only pool of two mints without a configuration, in either order of the mints."""
    low, high = sorted((bytes(mint), bytes(other)))
    return Pubkey.find_program_address([b"cpool", high, low], damm.PROGRAM_ID)[0]


def test_a_pools_address_does_not_depend_on_the_order_of_its_mints() -> None:
    assert pool_address(key(9), key(1), key(2)) == pool_address(key(9), key(2), key(1))
    assert customizable_pool_address(key(1), key(2)) == customizable_pool_address(key(2), key(1))
    assert damm_addresses.vault_address(key(7), key(1)) != damm_addresses.vault_address(key(7), key(2))


@pytest.mark.parametrize("case", CASES)
def test_a_pool_read_from_its_account_swaps_the_same(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    account = damm_accounts.Pool.decode(account_of(DOCUMENT["pools"][case["pool"]]).encode())
    swap = damm_v2.swap_exact_in if given["swap_mode"] == "exact_in" else damm_v2.swap_exact_out
    a_to_b = given["direction"] == "a_to_b"
    clock = {"now": given["current_timestamp"], "point": given["current_point"]}
    if "error" in expected:
        with pytest.raises(SwapError, match=expected["error"]):
            swap(account.to_pool(), given["amount"], a_to_b=a_to_b, **clock)
        return
    outcome = swap(account.to_pool(), given["amount"], a_to_b=a_to_b, **clock)
    assert (outcome.amount_in, outcome.amount_out) == (expected["amount_in"], expected["amount_out"])

    after = damm_accounts.Pool.decode(pool_after(account, outcome, a_to_b=a_to_b).encode())

    assert after.to_pool() == outcome.pool
    for name, value in expected["end_state"].items():
        if name in damm_accounts.Pool.__slots__:
            assert getattr(after, name) == value, name


def test_the_fee_is_recorded_in_its_token() -> None:
    account = plain_account(collect_fee_mode=1)
    clock = {"now": 1_754_982_400, "point": 1_754_982_400}
    for a_to_b in (True, False):
        swap = damm_v2.swap_exact_in(account.to_pool(), 10**9, a_to_b=a_to_b, **clock)
        after = pool_after(account, swap, a_to_b=a_to_b)
        assert after.metrics.total_lp_b_fee == swap.claiming_fee > 0
        assert after.metrics.total_protocol_b_fee == swap.protocol_fee > 0
        assert after.fee_b_per_liquidity == (swap.claiming_fee << 128) // account.liquidity > 0
        assert (after.fee_a_per_liquidity, after.metrics.total_lp_a_fee, after.protocol_a_fee) == (0, 0, 0)
    swap = damm_v2.swap_exact_in(plain_account(collect_fee_mode=0).to_pool(), 10**9, a_to_b=False, **clock)
    after = pool_after(plain_account(collect_fee_mode=0), swap, a_to_b=False)
    assert after.metrics.total_lp_a_fee == swap.claiming_fee > 0
    assert after.fee_a_per_liquidity == (swap.claiming_fee << 128) // account.liquidity > 0
    assert (after.fee_b_per_liquidity, after.metrics.total_lp_b_fee) == (0, 0)


def test_a_pool_of_the_first_layout_gets_balances_from_its_price() -> None:
    old = plain_account(layout_version=0, token_a_amount=0, token_b_amount=0)
    assert old.to_pool() == account_of(REAL).to_pool()
    swap = damm_v2.swap_exact_in(old.to_pool(), 10**9, a_to_b=True, now=1_754_982_400, point=1_754_982_400)
    after = pool_after(old, swap, a_to_b=True)
    assert (after.layout_version, after.token_a_amount) == (1, REAL["token_a_amount"] + 10**9)


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (with_base_fee(base_fee_mode=5), Unsupported.FEE_MODE),
        (plain_account(fee_version=2), Unsupported.FEE_MODE),
        (plain_account(collect_fee_mode=3), Unsupported.FEE_SIDE),
    ],
    ids=lambda value: str(value) if isinstance(value, Unsupported) else "",
)
def test_an_unsupported_fee_is_refused(account: damm_accounts.Pool, reason: Unsupported) -> None:
    with pytest.raises(UnsupportedPoolError, match=reason) as refused:
        account.to_pool()
    assert refused.value.reason == reason


def test_a_pool_opens_at_its_activation_point_on_its_own_clock() -> None:
    by_slot = plain_account(activation_type=damm_accounts.ActivationType.SLOT, activation_point=100)
    by_time = plain_account(activation_type=damm_accounts.ActivationType.TIMESTAMP, activation_point=100)
    assert [by_slot.accepts_swaps(slot=slot, unix_time=2**40) for slot in (99, 100)] == [False, True]
    assert [by_time.accepts_swaps(slot=2**40, unix_time=now) for now in (99, 100)] == [False, True]
    assert (by_slot.point(slot=1, unix_time=2), by_time.point(slot=1, unix_time=2)) == (1, 2)
    disabled = plain_account(pool_status=damm_accounts.PoolStatus.DISABLED)
    assert not disabled.accepts_swaps(slot=2**40, unix_time=2**40)


@pytest.mark.parametrize("mode", list(damm_instructions.SwapMode))
def test_a_swap_has_two_amounts_and_a_mode(mode: damm_instructions.SwapMode) -> None:
    order = damm_instructions.Swap2(5, 4, mode)
    assert order.encode().hex() == "414b3f4ceb5b5b88" + "05" + "00" * 7 + "04" + "00" * 7 + f"{mode:02x}"
    assert damm_handler.decode_instruction(order.encode()) == order


def test_another_instruction_is_not_a_swap() -> None:
    with pytest.raises(LayoutError, match="not a swap of Meteora DAMM v2"):
        damm_handler.decode_instruction(bytes(25))


def test_a_swap_has_the_programs_accounts() -> None:
    state = plain_account(
        token_a_vault=key(1), token_b_vault=key(2), token_a_mint=key(3), token_b_mint=key(4), token_b_flag=1
    )
    pool, payer, source, destination = key(5), key(6), key(7), key(8)
    instruction = damm_instructions.swap(damm_instructions.Swap2(5, 4), pool, state, payer, source, destination)
    named = uses(instruction)
    assert (instruction.program_id, bytes(instruction.data)) == (
        damm.PROGRAM_ID,
        damm_instructions.Swap2(5, 4).encode(),
    )
    assert named[damm_instructions.POOL_AUTHORITY] == (damm_addresses.POOL_AUTHORITY_ADDRESS, "r")
    assert named[damm_instructions.POOL] == (pool, "w")
    assert named[damm_instructions.INPUT_TOKEN_ACCOUNT] == (source, "w")
    assert named[damm_instructions.OUTPUT_TOKEN_ACCOUNT] == (destination, "w")
    assert named[damm_instructions.TOKEN_A_VAULT] == (key(1), "w")
    assert named[damm_instructions.TOKEN_B_VAULT] == (key(2), "w")
    assert named[damm_instructions.TOKEN_A_MINT] == (key(3), "r")
    assert named[damm_instructions.TOKEN_B_MINT] == (key(4), "r")
    assert named[damm_instructions.PAYER] == (payer, "s")
    assert named[damm_instructions.TOKEN_A_PROGRAM] == (token.PROGRAM_ID, "r")
    assert named[damm_instructions.TOKEN_B_PROGRAM] == (token.TOKEN_2022_PROGRAM_ID, "r")
    assert named[damm_instructions.REFERRAL_TOKEN_ACCOUNT] == (damm.PROGRAM_ID, "r")
    assert named[damm_instructions.EVENT_AUTHORITY] == (damm_addresses.EVENT_AUTHORITY_ADDRESS, "r")
    assert named[damm_instructions.OWN_PROGRAM] == (damm.PROGRAM_ID, "r")
    assert len(named) == 14
