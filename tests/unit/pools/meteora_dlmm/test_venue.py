"""Specifics of Meteora's DLMM venue: the state determines which further accounts to read."""

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BINS_PER_ARRAY
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.solana.programs import memo
from orderd.venues.array_venue import ARRAYS_PER_DIRECTION
from tests.unit.amm.vectors import load
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain, put_dlmm

X, Y = Pubkey.from_bytes(b"\x0b" * 32), Pubkey.from_bytes(b"\x0a" * 32)
POOL = Pubkey.from_bytes(b"\x0c" * 32)
TEMPLATE: dict[str, Any] = load("meteora_dlmm.json")["pools"]["constructed_sol_usdc_bs10"]
SELL_X = QuoteRequest(str(X), str(Y), 10**6)
SELL_Y = QuoteRequest(str(Y), str(X), 10**6)


def pool_of(active_id: int, arrays: list[int], amount: int = 10**9) -> dict[str, Any]:
    """A pool at a price near 1 with one bin in the middle of each array, and the active bin."""
    ids = sorted({active_id, *(index * BINS_PER_ARRAY + 35 for index in arrays)})
    bins = [
        {
            "bin_id": each,
            "amount_x": amount if each >= active_id else 0,
            "amount_y": amount if each <= active_id else 0,
            "price": 1 << 64,
        }
        for each in ids
    ]
    variable = TEMPLATE["v_parameters"] | {"index_reference": active_id}
    return TEMPLATE | {"active_id": active_id, "bins": bins, "v_parameters": variable}


def bin_arrays_of(venue: MeteoraDlmm, request: QuoteRequest) -> list[Pubkey]:
    swap = venue.swap_instruction(best_quote(venue, request), X, X, Y, 1, small=False)
    return [meta.pubkey for meta in swap.accounts[meteora_dlmm_instructions.BIN_ARRAYS :]]


def test_a_swap_names_its_bin_arrays_in_order() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(10, [-9, -4, -1, 0, 1, 5, 8]))
    venue = MeteoraDlmm(chain.rpc())
    addresses = {index: meteora_dlmm_addresses.bin_array_address(POOL, index) for index in range(-10, 10)}
    assert bin_arrays_of(venue, SELL_X) == [addresses[index] for index in (0, -1, -4)]
    assert bin_arrays_of(venue, SELL_Y) == [addresses[index] for index in (0, 1, 5)]
    assert ARRAYS_PER_DIRECTION == 3


def test_a_small_swap_names_the_arrays_it_needs_and_a_spare_one() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(10, [-9, -4, -1, 0, 1, 5, 8], amount=10**6))
    venue = MeteoraDlmm(chain.rpc())
    addresses = {index: meteora_dlmm_addresses.bin_array_address(POOL, index) for index in range(-10, 10)}
    for amount, arrays in ((500_000, (0, -1)), (1_500_000, (0, -1, -4))):
        quote = best_quote(venue, replace(SELL_X, amount=amount))
        swap = venue.swap_instruction(quote, X, X, Y, 1, small=True)
        named = [meta.pubkey for meta in swap.accounts[meteora_dlmm_instructions.BIN_ARRAYS :]]
        assert named == [addresses[index] for index in arrays]


def test_a_swap_names_its_accounts_in_the_programs_order() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(10, [0]))
    state = LbPair.decode(chain.accounts[POOL][1])
    venue = MeteoraDlmm(chain.rpc())
    swap = venue.swap_instruction(best_quote(venue, SELL_Y), X, X, Y, 1, small=False)
    program = meteora_dlmm.PROGRAM_ID
    assert [meta.pubkey for meta in swap.accounts[:16]] == [
        POOL,
        program,
        state.reserve_x,
        state.reserve_y,
        X,
        Y,
        state.mint_x,
        state.mint_y,
        state.oracle,
        program,
        X,
        state.token_x_program,
        state.token_y_program,
        memo.PROGRAM_ID,
        meteora_dlmm_addresses.EVENT_AUTHORITY_ADDRESS,
        program,
    ]
    writable = [index for index, meta in enumerate(swap.accounts) if meta.is_writable]
    assert writable == [0, 2, 3, 4, 5, 8, 16]


def test_a_pool_far_from_price_one_needs_its_bitmap_extension() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(600 * BINS_PER_ARRAY, [600, 599, 601]))
    venue = MeteoraDlmm(chain.rpc())
    swap = venue.swap_instruction(best_quote(venue, SELL_X), X, X, Y, 1, small=False)
    extension = swap.accounts[meteora_dlmm_instructions.BITMAP_EXTENSION]
    assert (extension.pubkey, extension.is_writable) == (meteora_dlmm_addresses.bitmap_extension_address(POOL), True)
    assert bin_arrays_of(venue, SELL_Y)[0] == meteora_dlmm_addresses.bin_array_address(POOL, 600)


def test_state_is_read_again_if_the_price_left_the_expected_arrays() -> None:
    chain = Chain()
    ticks = [0.0]
    arrays = list(range(-10, 11))
    put_dlmm(chain, POOL, X, Y, pool_of(10, arrays))
    venue = MeteoraDlmm(chain.rpc(), clock=lambda: ticks[0])
    best_quote(venue, SELL_X)
    put_dlmm(chain, POOL, X, Y, pool_of(8 * BINS_PER_ARRAY + 35, arrays, amount=7 * 10**5))
    chain.methods.clear()
    ticks[0] = 1.0
    fresh = best_quote(MeteoraDlmm(chain.rpc()), SELL_X)
    chain.methods.clear()
    assert best_quote(venue, SELL_X) == fresh
    assert chain.methods == ["getMultipleAccounts"] * 2
    ticks[0] = 2.0
    chain.methods.clear()
    assert best_quote(venue, SELL_X) == fresh
    assert chain.methods == ["getMultipleAccounts"]


def test_a_price_that_moves_faster_than_reads_is_refused() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(10, list(range(-30, 31))))
    state = LbPair.decode(chain.accounts[POOL][1])
    moves = iter(range(0, 30, 6))

    class Racing(Chain):
        def _getMultipleAccounts(self, keys: list[str], config: Any) -> list[Any]:  # noqa: N802
            moved = replace(state, active_id=(next(moves) + 1) * BINS_PER_ARRAY)
            self.accounts[POOL] = (meteora_dlmm.PROGRAM_ID, moved.encode())
            return super()._getMultipleAccounts(keys, config)

    racing = Racing()
    racing.accounts = chain.accounts
    with pytest.raises(OrderdError, match="faster than they could be read") as error:
        best_quote(MeteoraDlmm(racing.rpc()), SELL_X)
    assert error.value.code == ErrorCode.RPC_UNAVAILABLE


def test_a_pool_is_found_whichever_of_its_mints_is_x() -> None:
    for x, y in ((X, Y), (Y, X)):
        chain = Chain()
        put_dlmm(chain, POOL, x, y, pool_of(10, [0]))
        assert MeteoraDlmm(chain.rpc()).pools(str(X), str(Y)) == [str(POOL)]


def test_a_missing_bin_array_refuses_the_pool() -> None:
    chain = Chain()
    put_dlmm(chain, POOL, X, Y, pool_of(10, [-1, 0, 1]))
    del chain.accounts[meteora_dlmm_addresses.bin_array_address(POOL, -1)]
    with pytest.raises(OrderdError, match="bin array is missing") as error:
        best_quote(MeteoraDlmm(chain.rpc()), SELL_X)
    assert error.value.code == ErrorCode.POOL_UNSUPPORTED


def test_a_pool_that_opens_at_a_slot_is_checked_by_slot() -> None:
    chain = Chain()
    chain.slot = 1_000
    put_dlmm(chain, POOL, X, Y, pool_of(10, [0]), activation_type=0, activation_point=1_001)
    with pytest.raises(OrderdError, match="opens at slot 1001"):
        best_quote(MeteoraDlmm(chain.rpc()), SELL_X)
    chain.slot = 1_001
    assert best_quote(MeteoraDlmm(chain.rpc()), SELL_X).pool == str(POOL)


def test_arrays_with_only_limit_orders_are_traded() -> None:
    request = replace(SELL_X, amount=2_500_000)
    paid = []
    for orders in (False, True):
        chain = Chain()
        pool = pool_of(10, [-4, -1, 0, 1], amount=10**6)
        if orders:
            for each in pool["bins"]:
                if each["bin_id"] < 0:
                    each |= {"amount_y": 0, "open_order_amount": each["amount_y"]}
        put_dlmm(chain, POOL, X, Y, pool)
        venue = MeteoraDlmm(chain.rpc())
        paid.append(best_quote(venue, request).amount_out)
        arrays = [meteora_dlmm_addresses.bin_array_address(POOL, index) for index in (0, -1, -4)]
        assert bin_arrays_of(venue, request) == arrays
    assert paid[0] == paid[1] > 2_000_000
