"""A fill is what the balances say, never what was asked for."""

from dataclasses import replace

import pytest

from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.settlement.fill import SettledFill, read_fill
from orderd.solana.rpc_types import TokenBalance, TransactionInfo

WALLET, POOL = "wallet", "pool"


def landed(*tokens: TokenBalance) -> TransactionInfo:
    """A transaction that has changed these balances, and the wallet's lamports by fee and rent too."""
    return TransactionInfo(
        slot=9,
        block_time=None,
        err=None,
        fee=5_000,
        logs=(),
        lamports={WALLET: (10**9, 10**9 - 2_044_280)},
        tokens=tokens,
    )


def test_what_two_tokens_have_changed_by_in_the_wallets_accounts_is_the_fill() -> None:
    transaction = landed(
        TokenBalance("purse", "sold", WALLET, 100, 10),
        TokenBalance("other purse", "sold", WALLET, 5, 0),
        TokenBalance("vault", "sold", POOL, 0, 94),  # one went to a fee
        TokenBalance("purse", "bought", WALLET, 1, 31),
        TokenBalance("vault", "bought", POOL, 1_000, 969),
    )
    assert read_fill(transaction, WALLET, "sold", "bought") == SettledFill(95, 30, 5_000, 9)


def test_sol_is_what_the_pools_got_and_gave_without_fee_and_rent() -> None:
    sold = landed(
        TokenBalance("vault", WSOL_MINT, POOL, 10, 17),
        TokenBalance("second vault", WSOL_MINT, POOL, 0, 3),
        TokenBalance("kept", WSOL_MINT, WALLET, 4, 4),
        TokenBalance("purse", USDC_MINT, WALLET, 0, 2),
    )
    assert read_fill(sold, WALLET, WSOL_MINT, USDC_MINT) == SettledFill(10, 2, 5_000, 9)
    bought = landed(
        TokenBalance("vault", WSOL_MINT, POOL, 17, 9),
        TokenBalance("purse", USDC_MINT, WALLET, 2, 0),
    )
    assert read_fill(bought, WALLET, USDC_MINT, WSOL_MINT) == SettledFill(2, 8, 5_000, 9)


def test_wrapped_sol_that_is_sold_is_a_fill_like_sol_that_is_wrapped_for_it() -> None:
    sold = landed(
        TokenBalance("kept", WSOL_MINT, WALLET, 14, 4),
        TokenBalance("vault", WSOL_MINT, POOL, 10, 17),
        TokenBalance("second vault", WSOL_MINT, POOL, 0, 3),
        TokenBalance("purse", USDC_MINT, WALLET, 0, 2),
    )
    assert read_fill(sold, WALLET, WSOL_MINT, USDC_MINT) == SettledFill(10, 2, 5_000, 9)


@pytest.mark.parametrize(("before", "after"), [((100, 100), (0, 30)), ((100, 5), (30, 30)), ((0, 100), (30, 0))])
def test_balances_that_show_no_trade_are_no_fill(before: tuple[int, int], after: tuple[int, int]) -> None:
    transaction = landed(
        TokenBalance("purse", "sold", WALLET, *before), TokenBalance("purse", "bought", WALLET, *after)
    )
    with pytest.raises(ValueError, match="has given"):
        read_fill(transaction, WALLET, "sold", "bought")


def test_what_comes_to_the_wallet_beside_what_was_bought_is_reported() -> None:
    """Of two hops the second one spends what the first one pays for certain, and the rest stays in the wallet."""
    through_a_token = landed(
        TokenBalance("purse", "sold", WALLET, 100, 10),
        TokenBalance("middle", "between", WALLET, 0, 3),
        TokenBalance("vault", "between", POOL, 100, 97),
        TokenBalance("purse", "bought", WALLET, 1, 31),
    )
    assert read_fill(through_a_token, WALLET, "sold", "bought").left_over == {"between": 3}
    through_sol = landed(
        TokenBalance("purse", "sold", WALLET, 100, 10),
        TokenBalance("vault", WSOL_MINT, POOL, 100, 20),
        TokenBalance("second vault", WSOL_MINT, POOL, 0, 73),
        TokenBalance("purse", "bought", WALLET, 1, 31),
    )
    assert read_fill(through_sol, WALLET, "sold", "bought").left_over == {WSOL_MINT: 7}
    nothing_left = landed(
        TokenBalance("purse", "sold", WALLET, 100, 10),
        TokenBalance("middle", "between", WALLET, 5, 5),
        TokenBalance("purse", "bought", WALLET, 1, 31),
    )
    assert read_fill(nothing_left, WALLET, "sold", "bought").left_over == {}


def test_rent_is_what_new_accounts_of_the_wallet_hold() -> None:
    transaction = replace(
        landed(
            TokenBalance("purse", "sold", WALLET, 100, 10),
            TokenBalance("new", "bought", WALLET, 0, 30),
            TokenBalance("vault of another", "bought", POOL, 1_000, 970),
        ),
        lamports={
            WALLET: (10**9, 10**9 - 2_044_280),
            "purse": (7, 7),
            "new": (0, 2_039_280),
            "vault of another": (0, 9),
        },
    )
    assert read_fill(transaction, WALLET, "sold", "bought").rent == 2_039_280
