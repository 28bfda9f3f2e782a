"""What DLMM swaps store besides amounts: the oracle, and the fees per share of a bin."""

from dataclasses import replace

from orderd.pools.meteora_dlmm.accounts import LbPair, PairType
from orderd.pools.meteora_dlmm.addresses import bin_array_address, bump_of, pair_address
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.program import PROGRAM_ID
from orderd.pools.meteora_dlmm.simnet.genesis import REAL_DLMM_PAIR, SOL_USDC_BS4
from orderd.pools.meteora_dlmm.simnet.oracle import SAMPLE_SECONDS, Observation, Oracle
from orderd.simnet.genesis import CHILLGUY
from orderd.solana.programs import token
from orderd.solana.programs.derived import signing_address
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import Dlmm, error_code

SOL = 10**9


def test_an_observation_accumulates_the_bins_before_swaps() -> None:
    empty = Oracle.new(2)
    first = empty.updated(1_000, -7)
    same = first.updated(1_000 + SAMPLE_SECONDS - 1, -9)
    second = same.updated(1_000 + SAMPLE_SECONDS, -11)
    third = second.updated(5_000, 3)

    summed = -7 - 9 * (SAMPLE_SECONDS - 1)
    assert first.observation(0) == Observation(-7, 1_000, 1_000)
    assert same.observation(0) == Observation(summed, 1_000, 1_000 + SAMPLE_SECONDS - 1)
    assert (second.index, second.active_size) == (1, 2)
    assert second.observation(1) == Observation(summed - 11, 1_000 + SAMPLE_SECONDS, 1_000 + SAMPLE_SECONDS)
    assert (third.index, third.active_size) == (0, 2)


def test_the_oracle_records_the_bin_before_a_swap(chain: LocalChain) -> None:
    pool = Dlmm(chain, SOL_USDC_BS4)
    found = pool.state.active_id

    assert chain.send(pool.swap(1_000 * SOL, 1, forward=True)).error is None

    oracle = Oracle.decode(chain.account(pool.state.oracle).data)
    assert oracle.observation(0) == Observation(found, chain.now, chain.now)
    assert pool.state.active_id < found


def test_the_fee_of_a_bin_is_shared_by_its_liquidity(chain: LocalChain) -> None:
    pool = Dlmm(chain, SOL_USDC_BS4)
    for forward, size in ((True, SOL), (False, 100 * 10**6)):
        swap = pool.quote(size, forward=forward)
        (bin_id,) = (each.bin_id for each in swap.changed_bins)
        address = bin_array_address(SOL_USDC_BS4, bin_id // 70)
        before = BinArray.decode(chain.account(address).data).bin(bin_id)

        assert chain.send(pool.swap(size, 1, forward=forward)).error is None

        after = BinArray.decode(chain.account(address).data).bin(bin_id)
        growth = (swap.mm_fee << 64) // (before.liquidity_supply >> 64)
        assert growth > 0
        assert (
            after.fee_amount_x_per_token_stored - before.fee_amount_x_per_token_stored,
            after.fee_amount_y_per_token_stored - before.fee_amount_y_per_token_stored,
        ) == ((growth, 0) if forward else (0, growth))


def test_the_program_signs_for_the_pairs_derived_address(chain: LocalChain) -> None:
    pool = Dlmm(chain, SOL_USDC_BS4)
    account = chain.account(SOL_USDC_BS4)
    for bump in (pool.state.bump_seed - 1, pool.state.bump_seed - 2, pool.state.bump_seed - 3):
        other = replace(LbPair.decode(account.data), bump_seed=bump)
        chain.bank.accounts[SOL_USDC_BS4] = account._replace(data=other.encode())
        assert error_code(chain.send(pool.swap(SOL, 1, forward=True))) == "PrivilegeEscalation"


def test_the_address_is_derived_from_the_seeds_of_the_pair_type() -> None:
    chain = LocalChain()
    state = Dlmm(chain, REAL_DLMM_PAIR).state
    named = {
        PairType.PERMISSION: 4,
        PairType.CUSTOMIZABLE_PERMISSIONLESS: 3,
        PairType.PERMISSIONLESS_V2: 3,
    }

    assert signing_address(tuple(state.seeds), bump_of(state), PROGRAM_ID) == REAL_DLMM_PAIR
    assert pair_address(CHILLGUY, token.NATIVE_MINT, state.bin_step, state.base_factor_seed) == REAL_DLMM_PAIR
    assert len(replace(state, require_base_factor_seed=0).seeds) == 3
    for pair_type, seeds in named.items():
        assert len(replace(state, pair_type=pair_type).seeds) == seeds
        assert replace(state, pair_type=pair_type).seeds[0] == bytes(state.base_key)
