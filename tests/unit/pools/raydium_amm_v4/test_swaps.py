"""Raydium AMM v4 on the local chain: its counters and logs, and its error numbers."""

import base64
import struct
from dataclasses import replace
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_amm_v4.accounts import AmmStatus
from orderd.pools.raydium_amm_v4.instructions import SwapV2Account
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.genesis import USDC
from orderd.solana.programs import token
from tests.unit.pools.raydium_amm_v4.market_swaps import SwapBaseIn
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import STRANGER, AmmV4, error_code, with_account

SOL = 10**9


@pytest.fixture
def pool(chain: LocalChain) -> AmmV4:
    return AmmV4(chain, SOL_USDC_AMM_V4)


def switch(pool: AmmV4, **fields: Any) -> None:
    """Change fields of the pool's account."""
    accounts = pool.chain.bank.accounts
    accounts[pool.address] = accounts[pool.address]._replace(data=replace(pool.state, **fields).encode())


def ray_log(logs: tuple[str, ...]) -> tuple[int, ...]:
    (line,) = [line for line in logs if "ray_log: " in line]
    return struct.unpack("<B7Q", base64.b64decode(line.split("ray_log: ")[1]))


def test_a_swap_is_logged(pool: AmmV4) -> None:
    before = pool.pool()
    had = pool.chain.amount(pool.chain.held(token.NATIVE_MINT))
    sold = pool.quote(SOL, forward=True)

    outcome = pool.chain.send(pool.swap(SOL, 7, forward=True))

    assert ray_log(outcome.logs) == (3, SOL, 7, 2, had, before.reserve_coin, before.reserve_pc, sold.amount_out)


@pytest.mark.parametrize(("amount_in", "minimum"), [(0, 0), (0, 1), (1, 0), (1, 1), (2**63, 0)])
def test_a_swap_that_pays_zero_is_logged_with_an_output_of_zero(pool: AmmV4, amount_in: int, minimum: int) -> None:
    before = pool.pool()
    had = pool.chain.amount(pool.chain.held(token.NATIVE_MINT))

    outcome = pool.chain.send(pool.swap(amount_in, minimum, forward=True))

    assert ray_log(outcome.logs) == (3, amount_in, minimum, 2, had, before.reserve_coin, before.reserve_pc, 0)


def test_a_swap_changes_only_the_epoch_of_the_pool(pool: AmmV4) -> None:
    switch(pool, recent_epoch=9)
    before = pool.state

    pool.chain.send(pool.swap(SOL, 7, forward=True))

    assert pool.state == replace(before, recent_epoch=0)


def test_a_single_unit_of_slippage_is_refused(pool: AmmV4) -> None:
    bought = pool.quote(SOL, forward=True)
    paid = pool.quote(SOL, forward=False, exact_out=True)
    before = pool.pool()

    too_little = pool.chain.send(pool.swap(SOL, bought.amount_out + 1, forward=True))
    too_much = pool.chain.send(pool.swap(SOL, paid.amount_in - 1, forward=False, exact_out=True))

    assert (error_code(too_little), error_code(too_much)) == (30, 30)
    assert pool.pool() == before


@pytest.mark.parametrize(
    "fields",
    [{"status": AmmStatus.DISABLED}, {"status": AmmStatus.WITHDRAW_ONLY}, {"status": AmmStatus.LIQUIDITY_ONLY}],
)
def test_a_closed_pool_refuses_swaps(pool: AmmV4, fields: dict[str, int]) -> None:
    switch(pool, **fields)

    assert error_code(pool.chain.send(pool.swap(SOL, 1, forward=True))) == 22


def test_a_waiting_pool_opens_with_the_first_swap_after_its_time(pool: AmmV4) -> None:
    opens = pool.chain.now + 5
    switch(pool, status=AmmStatus.WAITING_TRADE, state_data=replace(pool.state.state_data, pool_open_time=opens))

    assert error_code(pool.chain.send(pool.swap(SOL, 1, forward=True))) == 22
    pool.chain.now = opens
    pool.chain.seal()
    assert pool.chain.send(pool.swap(SOL, 1, forward=True)).error is None
    assert pool.state.status == AmmStatus.SWAP_ONLY


@pytest.mark.parametrize(
    ("amount", "limit", "exact_out", "code"),
    [(0, 0, False, 29), (1, 0, False, 29), (1, 1, False, 30), (10**15, 2**63, True, "ProgramFailedToComplete")],
)
def test_invalid_amounts_are_refused(pool: AmmV4, amount: int, limit: int, exact_out: bool, code: int | str) -> None:
    assert error_code(pool.chain.send(pool.swap(amount, limit, forward=True, exact_out=exact_out))) == code


@pytest.mark.parametrize(
    ("index", "changes", "code"),
    [
        (SwapV2Account.TOKEN_PROGRAM, {"key": token.TOKEN_2022_PROGRAM_ID}, 38),
        (SwapV2Account.AMM, {"key": SOL_USDC_CPMM}, 27),
        (SwapV2Account.AUTHORITY, {"key": STRANGER}, 1),
        (SwapV2Account.COIN_VAULT, {"key": STRANGER}, 4),
        (SwapV2Account.PC_VAULT, {"key": STRANGER}, 5),
        (SwapV2Account.USER_SOURCE, {"key": STRANGER}, 38),
        (SwapV2Account.USER_SOURCE, {"key": USDC, "writable": False}, 3),
        (SwapV2Account.USER, {"key": STRANGER, "signer": False}, 21),
    ],
)
def test_the_program_validates_its_accounts(
    pool: AmmV4, index: int, changes: dict[str, Pubkey | bool], code: int | str
) -> None:
    swap = with_account(pool.swap(SOL, 1, forward=True), index, **changes)

    assert error_code(pool.chain.send(swap)) == code


def test_a_vault_cannot_be_a_users_account(pool: AmmV4) -> None:
    swap = pool.swap(SOL, 1, forward=True)

    into_vault = with_account(swap, SwapV2Account.USER_DESTINATION, key=pool.state.pc_vault)
    assert error_code(pool.chain.send(into_vault)) == 42
    same_token = with_account(swap, SwapV2Account.USER_DESTINATION, key=swap.accounts[SwapV2Account.USER_SOURCE].pubkey)
    assert error_code(pool.chain.send(same_token)) == 42


def test_instructions_with_an_order_book_are_refused(pool: AmmV4) -> None:
    swap = pool.swap(SOL, 1, forward=True)
    old = Instruction(raydium_amm_v4.PROGRAM_ID, SwapBaseIn(SOL, 1).encode(), list(swap.accounts))

    assert error_code(pool.chain.send(old)) == "InvalidInstructionData"
    cut_off = Instruction(raydium_amm_v4.PROGRAM_ID, bytes(swap.data), list(swap.accounts[:-1]))
    assert error_code(pool.chain.send(cut_off)) == "NotEnoughAccountKeys"
