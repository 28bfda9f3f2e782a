"""DLMM's limit orders on the local chain are filled and stored like by the real program, also on real accounts."""

from itertools import islice
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm import accounts as meteora_dlmm_accounts
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import bin_array as meteora_dlmm_bin_array
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.addresses import bin_array_address
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import arrays_in_order
from orderd.pools.meteora_dlmm.instructions import Swap2, SwapExactOut2
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10
from orderd.pools.meteora_dlmm.simnet.oracle import Oracle
from orderd.simnet.account import LedgerAccount
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome
from orderd.solana.programs import system, token
from orderd.solana.programs.token import Mint
from tests.unit.amm.vectors import cases, load
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import Dlmm, error_code, error_name
from tests.unit.simnet.test_vectors import HELD, MINTS, MOST_ARRAYS, NOW, U64_MAX, amount, run
from tests.unit.simnet.world import ALICE, Accounts, token_account
from tests.unit.solana.captures import DLMM as CAPTURES
from tests.unit.solana.captures import UNDETERMINED, dlmm_cases, refusal
from tests.unit.venues.chain import Chain, put_dlmm

VECTORS = load("meteora_dlmm.json")
POOL, BUMP = Pubkey.find_program_address([*map(bytes, MINTS), bytes(2)], meteora_dlmm.PROGRAM_ID)
SEEDS: dict[str, Any] = {
    "bump_seed": BUMP,
    "bin_step_seed": 0,
    "pair_type": meteora_dlmm_accounts.PairType.PERMISSIONLESS,
}
SOL = 10**9
RICH = 2**62
"""Balances of trader and reserves that a capture or a vector does not give."""


def rich_world(pool_accounts: dict[Pubkey, tuple[Pubkey, bytes]], pair: Pubkey) -> Accounts:
    """These accounts, with reserves that can pay any swap and a trader who can pay for it."""
    accounts = {address: LedgerAccount(10**10, owner, data) for address, (owner, data) in pool_accounts.items()}
    state = LbPair.decode(accounts[pair].data)
    sides = ((state.mint_x, state.reserve_x, HELD[0]), (state.mint_y, state.reserve_y, HELD[1]))
    for mint, reserve, held in sides:
        native = mint == token.NATIVE_MINT
        accounts[reserve] = token_account(pair, mint, RICH, native=native)
        accounts[held] = token_account(ALICE.pubkey(), mint, RICH, native=native)
        accounts.setdefault(mint, LedgerAccount(10**10, token.PROGRAM_ID, Mint.new(6, supply=U64_MAX).encode()))
    oracle = Oracle.new(100)
    accounts.setdefault(state.oracle, LedgerAccount(10**10, meteora_dlmm.PROGRAM_ID, oracle.encode()))
    programs = {program: LedgerAccount(1, system.PROGRAM_ID, executable=True) for program in PROGRAMS}
    return {**programs, ALICE.pubkey(): LedgerAccount(10**12, system.PROGRAM_ID), **accounts}


def swap_in(
    accounts: Accounts, pair: Pubkey, case: dict[str, Any], now: int, slot: int = 1
) -> tuple[Outcome, Accounts]:
    """The outcome of a case's swap with all existing bin arrays, and the accounts after it."""
    state, forward = LbPair.decode(accounts[pair].data), case["swap_for_y"]
    extension_address = meteora_dlmm_addresses.bitmap_extension_address(pair)
    extension = None
    if extension_address in accounts:
        extension = meteora_dlmm_accounts.BitmapExtension.decode(accounts[extension_address].data)
    ahead = arrays_in_order(state, extension, swap_for_y=forward)
    there = islice((index for index in ahead if bin_array_address(pair, index) in accounts), MOST_ARRAYS)
    source, destination = HELD if forward else HELD[::-1]
    exact_in = case["mode"] == "exact_in"
    swap = meteora_dlmm_instructions.swap(
        Swap2(case["amount"], 0) if exact_in else SwapExactOut2(U64_MAX, case["amount"]),
        pair,
        state,
        ALICE.pubkey(),
        source,
        destination,
        bin_arrays=list(there),
        has_bitmap_extension=extension is not None,
    )
    return run(accounts, swap, now, slot)


def paid_and_received(before: Accounts, after: Accounts, state: LbPair, *, forward: bool) -> tuple[int, int]:
    """The amounts paid and received by the trader; checks that the reserves moved by the same."""
    changes = [amount(after, address) - amount(before, address) for address in HELD]
    assert changes == [
        amount(before, reserve) - amount(after, reserve) for reserve in (state.reserve_x, state.reserve_y)
    ]
    return (-changes[0], changes[1]) if forward else (-changes[1], changes[0])


@pytest.mark.parametrize(("file", "case"), dlmm_cases())
def test_the_local_program_answers_like_the_real_one_on_real_accounts(file: str, case: dict[str, Any]) -> None:
    capture = CAPTURES[file]
    before = rich_world(capture.accounts, capture.pair)

    outcome, after = swap_in(before, capture.pair, case, capture.unix_time, capture.slot)

    expected, refused = case["expected"], refusal(case["expected"])
    if refused is not None:
        # The real program runs out of units before the error that the local one reports at once.
        assert error_code(outcome) == (6085 if refused == UNDETERMINED else 3005)
        return
    assert outcome.error is None, outcome.logs
    paid = paid_and_received(before, after, capture.state, forward=case["swap_for_y"])
    assert paid == (expected["amount_in"], expected["amount_out"])


@pytest.mark.parametrize("case", cases(VECTORS))
def test_the_local_program_leaves_pair_and_bins_like_the_real_one(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    chain = Chain()
    put_dlmm(chain, POOL, *MINTS, VECTORS["pools"][case["pool"]], **SEEDS)
    before = rich_world(chain.accounts, POOL)

    asked = {"mode": given["swap_mode"], "amount": given["amount"], "swap_for_y": given["swap_for_y"]}
    outcome, after = swap_in(before, POOL, asked, given["current_timestamp"])

    if "error" in expected:
        assert error_name(outcome) == expected["program_error"]
        return
    assert outcome.error is None, outcome.logs
    end, state = expected["end_state"], LbPair.decode(after[POOL].data)
    paid = paid_and_received(before, after, state, forward=given["swap_for_y"])
    assert paid == (expected["amount_in"], expected["amount_out"])
    assert state.active_id == end["active_id"]
    for name, value in end["v_parameters"].items():
        assert getattr(state.v_parameters, name) == value, name
    assert (state.protocol_fee_x, state.protocol_fee_y) == tuple(end["protocol_fee"].values())
    for changed in end["changed_bins"]:
        bin_id = changed["bin_id"]
        array = BinArray.decode(after[bin_array_address(POOL, bin_id // meteora_dlmm_bin_array.BINS_PER_ARRAY)].data)
        for name, value in changed.items():
            if name != "bin_id":
                assert getattr(array.bin(bin_id), name) == value, (bin_id, name)


@pytest.mark.parametrize("address", [SOL_USDC_BS4, SOL_USDC_BS10], ids=["step 4", "step 10"])
def test_limit_orders_of_the_first_block_are_filled_by_swaps(address: Pubkey) -> None:
    chain = LocalChain()
    pool = Dlmm(chain, address)
    accounts = [chain.account(bin_array_address(address, index)) for index in pool.all_arrays()]
    assert {BinArray.decode(account.data).version for account in accounts} == {2}
    orders = [each for each in pool.pool().bins.values() if each.open_order_amount]
    assert {each.limit_order_ask_side for each in orders} == {True, False}
    for forward, size in ((True, 300 * SOL), (False, 60_000 * 10**6)):
        expected = pool.quote(size, forward=forward)
        assert expected.limit_order_fee > 0

        assert chain.send(pool.swap(size, 1, forward=forward)).error is None

        assert pool.pool().bins == expected.pool.bins
    begun = [each for each in pool.pool().bins.values() if each.order_age]
    assert {each.limit_order_ask_side for each in begun} == {True, False}


@pytest.mark.parametrize("index", [-600, -513, -512, -3, 0, 511, 512, 600])
@pytest.mark.parametrize("forward", [True, False])
def test_filling_an_arrays_last_order_clears_its_bit(index: int, forward: bool) -> None:
    """Measured on the deployed program, in the pair's own bitmap and in the extension's."""
    chain, active = Chain(), index * meteora_dlmm_bin_array.BINS_PER_ARRAY + 35
    template = VECTORS["pools"]["constructed_sol_usdc_bs4"]
    order = {"amount_x": 0, "amount_y": 0, "price": 1 << 64, "open_order_amount": 10**6}
    bins = [order | {"bin_id": active, "limit_order_ask_side": int(not forward)}]
    put_dlmm(chain, POOL, *MINTS, template | {"active_id": active, "bins": bins}, **SEEDS)
    before = rich_world(chain.accounts, POOL)
    for amount_out, left in ((10**6 - 1, [index]), (1, [])):
        case = {"mode": "exact_out", "amount": amount_out, "swap_for_y": forward}
        outcome, before = swap_in(before, POOL, case, now=NOW)
        assert outcome.error is None, outcome.logs
        state, extension_address = (
            LbPair.decode(before[POOL].data),
            meteora_dlmm_addresses.bitmap_extension_address(POOL),
        )
        extension = None
        if extension_address in before:
            extension = meteora_dlmm_accounts.BitmapExtension.decode(before[extension_address].data)
        assert list(arrays_in_order(state, extension, swap_for_y=forward)) == left
