"""Raydium AMM v4: accounts as on mainnet, and swap instructions as the program parses them."""

import base64
import random
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError
from orderd.pools.raydium_amm_v4 import accounts as v4_accounts
from orderd.pools.raydium_amm_v4 import addresses as v4_addresses
from orderd.pools.raydium_amm_v4 import instructions as v4_instructions
from orderd.pools.raydium_amm_v4 import program as v4
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.pools.raydium_amm_v4.simnet import handler as v4_handler
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError
from tests.unit.amm.vectors import cases, load
from tests.unit.pools.raydium_amm_v4 import market_swaps as amm_v4_market
from tests.unit.solana.records import blank, key, uses

DOCUMENT = load("raydium_amm_v4.json")

MAINNET_NUMBERS = base64.b64decode(
    "BgAAAAAAAAD+AAAAAAAAAAcAAAAAAAAAAwAAAAAAAAAJAAAAAAAAAAYAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAEBCDwAAAAAA9AEAAAAAAAAA"
    "AAAAAAAAAEBCDwAAAAAAQEIPAAAAAAABAAAAAAAAAADKmjsAAAAAAMqaOwAAAAAFAAAAAAAAABAnAAAAAAAAGQAAAAAAAAAQJwAAAAAAAAwA"
    "AAAAAAAAZAAAAAAAAAAZAAAAAAAAABAnAAAAAAAAQqi0CQAAAADYA78AAAAAAHy178SpAwAA"
)
MAINNET_KEYS = base64.b64decode(
    "uHDhLdN5iRVh0un6jyZDGDTrc28vJPwqKk3/H9XcpN/yy7m3YO3bGFcGMDBjrTPXtXKW6gLU4DNeMc6vpMxC3QabiFf+q4GE+2h/Y0YYwDXaxDnc"
    "Gus7VZig8AAAAAABxvp6877brTo9ZfNqq8l0MbG75MLS9uDkfKYCA0UvXWE="
)
"""From the pool 58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2 at slot 433179580: bytes 0 to 216, and 336 to 464."""


def account_of(pool: dict[str, Any], **fields: Any) -> v4_accounts.AmmInfo:
    fees = blank(
        v4_accounts.Fees,
        swap_fee_numerator=pool["swap_fee_numerator"],
        swap_fee_denominator=pool["swap_fee_denominator"],
    )
    data = blank(
        v4_accounts.StateData,
        need_take_pnl_coin=pool["need_take_pnl_coin"],
        need_take_pnl_pc=pool["need_take_pnl_pc"],
    )
    return blank(
        v4_accounts.AmmInfo,
        status=pool["status"],
        fees=fees,
        state_data=data,
        coin_mint=key(1),
        pc_mint=key(2),
        **fields,
    )


def plain_account(**fields: Any) -> v4_accounts.AmmInfo:
    return replace(account_of(DOCUMENT["pools"]["semi_real_sol_usdc"]), **fields)


def test_the_account_has_the_programs_size_and_survives_a_round_trip() -> None:
    generator = random.Random("AmmInfo")
    assert v4_accounts.AmmInfo.size() == 752
    for _ in range(20):
        data = generator.randbytes(752)
        assert v4_accounts.AmmInfo.decode(data).encode() == data
    with pytest.raises(LayoutError, match="takes 752"):
        v4_accounts.AmmInfo.decode(bytes(751))


def test_an_account_of_mainnet_is_read() -> None:
    data = MAINNET_NUMBERS + bytes(120) + MAINNET_KEYS + bytes(288)
    info = v4_accounts.AmmInfo.decode(data)
    pool = DOCUMENT["pools"]["semi_real_sol_usdc"]
    assert info.encode() == data
    assert (info.status, info.nonce, info.coin_decimals, info.pc_decimals) == (
        v4_accounts.AmmStatus.SWAP_ONLY,
        254,
        9,
        6,
    )
    assert (info.fees.swap_fee_numerator, info.fees.swap_fee_denominator) == (25, 10_000)
    assert info.state_data.need_take_pnl_coin == pool["need_take_pnl_coin"]
    assert info.state_data.need_take_pnl_pc == pool["need_take_pnl_pc"]
    assert str(info.coin_vault) == "DQyrAcCrDXQ7NeoqGgDCZwBvWDcYmFCjSb9JtteuvPpz"
    assert str(info.pc_vault) == "HLmqeL62xR1QoZ1HKKbXRrdN1p3phKpxRMb2VVopvBBz"
    assert (info.coin_mint, str(info.pc_mint)) == (token.NATIVE_MINT, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
    assert data[v4_accounts.AmmInfo.offset("coin_mint") :][:32] == bytes(info.coin_mint)
    assert data[v4_accounts.AmmInfo.offset("pc_mint") :][:32] == bytes(info.pc_mint)


def test_the_authority_is_that_on_mainnet() -> None:
    assert v4_addresses.authority_address() == (Pubkey.from_string("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1"), 254)
    assert v4_addresses.authority_address(v4.DEVNET_PROGRAM_ID)[0] != v4_addresses.authority_address()[0]


@pytest.mark.parametrize("case", cases(DOCUMENT))
def test_a_pool_read_from_its_account_swaps_the_same(case: dict[str, Any]) -> None:
    pool, given, expected = DOCUMENT["pools"][case["pool"]], case["input"], case["expected"]
    account = v4_accounts.AmmInfo.decode(account_of(pool).encode())
    amm = account.to_pool(
        pool["coin_vault_amount"],
        pool["pc_vault_amount"],
        open_orders_coin=pool["open_orders_native_coin_total"],
        open_orders_pc=pool["open_orders_native_pc_total"],
    )
    swap = amm_v4.swap_exact_in if given["swap_mode"] == "exact_in" else amm_v4.swap_exact_out
    coin_to_pc = given["direction"] == "coin_to_pc"
    if "error" in expected:
        with pytest.raises(SwapError, match=expected["error"]):
            swap(amm, given["amount"], coin_to_pc=coin_to_pc)
    else:
        outcome = swap(amm, given["amount"], coin_to_pc=coin_to_pc)
        assert (outcome.amount_in, outcome.amount_out) == (expected["amount_in"], expected["amount_out"])
        assert outcome.pool.coin_vault == expected["end_state"]["coin_vault_amount"]


@pytest.mark.parametrize("status", [0, 2, 3, 4, 5, 8])
def test_a_status_without_swaps_is_refused(status: int) -> None:
    account = plain_account(status=status)
    assert not account.accepts_swaps(2**40)
    with pytest.raises(UnsupportedPoolError, match="swaps_off") as refused:
        account.to_pool(10**9, 10**9)
    assert refused.value.reason == Unsupported.SWAPS_OFF


@pytest.mark.parametrize("status", [v4_accounts.AmmStatus.INITIALIZED, v4_accounts.AmmStatus.SWAP_ONLY])
def test_a_status_with_swaps_has_no_opening_time(status: v4_accounts.AmmStatus) -> None:
    account = plain_account(status=status, state_data=blank(v4_accounts.StateData, pool_open_time=2**40))
    assert account.accepts_swaps(0)
    assert account.to_pool(10**9, 10**9).coin_vault == 10**9


def test_a_waiting_pool_swaps_from_its_opening_time() -> None:
    account = plain_account(
        status=v4_accounts.AmmStatus.WAITING_TRADE, state_data=blank(v4_accounts.StateData, pool_open_time=1_000)
    )
    assert [account.accepts_swaps(now) for now in (999, 1_000)] == [False, True]
    assert account.to_pool(10**9, 10**9).reserve_coin == 10**9


def test_a_pool_of_one_token_with_itself_is_refused() -> None:
    with pytest.raises(UnsupportedPoolError, match="same_mints"):
        plain_account(pc_mint=key(1)).to_pool(10**9, 10**9)


@pytest.mark.parametrize(
    ("order", "tag"),
    [
        (amm_v4_market.SwapBaseIn(5, 4), "09"),
        (amm_v4_market.SwapBaseOut(5, 4), "0b"),
        (v4_instructions.SwapBaseInV2(5, 4), "10"),
        (v4_instructions.SwapBaseOutV2(5, 4), "11"),
    ],
)
def test_a_swap_has_a_tag_and_two_amounts(order: Record, tag: str) -> None:
    data = order.encode()
    assert data.hex() == tag + "05" + "00" * 7 + "04" + "00" * 7
    assert type(order).decode(data) == order


@pytest.mark.parametrize("order", [v4_instructions.SwapBaseInV2(5, 4), v4_instructions.SwapBaseOutV2(5, 4)])
def test_a_swap_without_the_market_is_reported_by_its_tag(order: Record) -> None:
    assert v4_handler.decode_instruction(order.encode()) == order


@pytest.mark.parametrize("data", [b"", b"\x01" + bytes(16), amm_v4_market.SwapBaseIn(5, 4).encode()])
def test_another_instruction_is_not_a_swap(data: bytes) -> None:
    with pytest.raises(LayoutError, match="not a swap of Raydium AMM v4"):
        v4_handler.decode_instruction(data)


def named_account() -> v4_accounts.AmmInfo:
    names = ("coin_vault", "pc_vault", "open_orders", "market", "market_program")
    return plain_account(**{name: key(10 + number) for number, name in enumerate(names)})


def test_a_swap_without_the_market_names_eight_accounts() -> None:
    state, amm, user, source, destination = named_account(), key(3), key(4), key(5), key(6)
    instruction = v4_instructions.swap(v4_instructions.SwapBaseInV2(5, 4), amm, state, user, source, destination)
    named = uses(instruction)
    assert instruction.program_id == v4.PROGRAM_ID
    assert bytes(instruction.data) == v4_instructions.SwapBaseInV2(5, 4).encode()
    assert len(named) == len(v4_instructions.SwapV2Account)
    assert named[v4_instructions.SwapV2Account.TOKEN_PROGRAM] == (token.PROGRAM_ID, "r")
    assert named[v4_instructions.SwapV2Account.AMM] == (amm, "w")
    assert named[v4_instructions.SwapV2Account.AUTHORITY] == (v4_addresses.authority_address()[0], "r")
    assert named[v4_instructions.SwapV2Account.COIN_VAULT] == (state.coin_vault, "w")
    assert named[v4_instructions.SwapV2Account.PC_VAULT] == (state.pc_vault, "w")
    assert named[v4_instructions.SwapV2Account.USER_SOURCE] == (source, "w")
    assert named[v4_instructions.SwapV2Account.USER_DESTINATION] == (destination, "w")
    assert named[v4_instructions.SwapV2Account.USER] == (user, "s")


def test_a_swap_with_the_market_names_seventeen_accounts() -> None:
    state, amm, user, source, destination = named_account(), key(3), key(4), key(5), key(6)
    market = amm_v4_market.Market(*(key(20 + number) for number in range(6)))
    order = amm_v4_market.SwapBaseOut(5, 4)
    instruction = amm_v4_market.swap_naming_market(
        order, amm, state, market, user, source, destination, program_id=v4.DEVNET_PROGRAM_ID
    )
    named = uses(instruction)
    assert (instruction.program_id, bytes(instruction.data)) == (v4.DEVNET_PROGRAM_ID, order.encode())
    assert {account: named[account] for account in amm_v4_market.SwapAccount} == {
        amm_v4_market.SwapAccount.TOKEN_PROGRAM: (token.PROGRAM_ID, "r"),
        amm_v4_market.SwapAccount.AMM: (amm, "w"),
        amm_v4_market.SwapAccount.AUTHORITY: (v4_addresses.authority_address(v4.DEVNET_PROGRAM_ID)[0], "r"),
        amm_v4_market.SwapAccount.OPEN_ORDERS: (state.open_orders, "w"),
        amm_v4_market.SwapAccount.COIN_VAULT: (state.coin_vault, "w"),
        amm_v4_market.SwapAccount.PC_VAULT: (state.pc_vault, "w"),
        amm_v4_market.SwapAccount.MARKET_PROGRAM: (state.market_program, "r"),
        amm_v4_market.SwapAccount.MARKET: (state.market, "w"),
        amm_v4_market.SwapAccount.BIDS: (market.bids, "w"),
        amm_v4_market.SwapAccount.ASKS: (market.asks, "w"),
        amm_v4_market.SwapAccount.EVENT_QUEUE: (market.event_queue, "w"),
        amm_v4_market.SwapAccount.MARKET_COIN_VAULT: (market.coin_vault, "w"),
        amm_v4_market.SwapAccount.MARKET_PC_VAULT: (market.pc_vault, "w"),
        amm_v4_market.SwapAccount.MARKET_VAULT_SIGNER: (market.vault_signer, "r"),
        amm_v4_market.SwapAccount.USER_SOURCE: (source, "w"),
        amm_v4_market.SwapAccount.USER_DESTINATION: (destination, "w"),
        amm_v4_market.SwapAccount.USER: (user, "s"),
    }
    assert len(named) == 17
