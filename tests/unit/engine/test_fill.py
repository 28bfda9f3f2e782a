"""A fill is read from balance changes, never from the requested amounts."""

from dataclasses import replace

import pytest

from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.settlement.fill import SettledFill, read_fill
from orderd.solana.rpc_types import TokenBalance, TransactionInfo

WALLET, POOL = "wallet", "pool"


def landed(*tokens: TokenBalance) -> TransactionInfo:
    """A transaction with these balance changes, and with lamports changed by fee and rent."""
    return TransactionInfo(
        slot=9,
        block_time=None,
        err=None,
        fee=5_000,
        logs=(),
        lamports={WALLET: (10**9, 10**9 - 2_044_280)},
        tokens=tokens,
    )


def test_a_fill_is_the_balance_changes_of_two_tokens_of_the_wallet() -> None:
    transaction = landed(
        TokenBalance("purse", "sold", WALLET, 100, 10),
        TokenBalance("other purse", "sold", WALLET, 5, 0),
        TokenBalance("vault", "sold", POOL, 0, 94),  # one unit is a fee
        TokenBalance("purse", "bought", WALLET, 1, 31),
        TokenBalance("vault", "bought", POOL, 1_000, 969),
    )
    assert read_fill(transaction, WALLET, "sold", "bought") == SettledFill(95, 30, 5_000, 9)


def test_the_amount_of_sol_excludes_fee_and_rent() -> None:
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


def test_a_sale_of_wrapped_sol_is_the_same_fill_as_a_sale_of_native_sol() -> None:
    sold = landed(
        TokenBalance("kept", WSOL_MINT, WALLET, 14, 4),
        TokenBalance("vault", WSOL_MINT, POOL, 10, 17),
        TokenBalance("second vault", WSOL_MINT, POOL, 0, 3),
        TokenBalance("purse", USDC_MINT, WALLET, 0, 2),
    )
    assert read_fill(sold, WALLET, WSOL_MINT, USDC_MINT) == SettledFill(10, 2, 5_000, 9)


@pytest.mark.parametrize(("before", "after"), [((100, 100), (0, 30)), ((100, 5), (30, 30)), ((0, 100), (30, 0))])
def test_balances_without_a_trade_are_not_a_fill(before: tuple[int, int], after: tuple[int, int]) -> None:
    transaction = landed(
        TokenBalance("purse", "sold", WALLET, *before), TokenBalance("purse", "bought", WALLET, *after)
    )
    with pytest.raises(ValueError, match="has given"):
        read_fill(transaction, WALLET, "sold", "bought")


def test_a_surplus_of_the_token_between_two_hops_is_reported() -> None:
    """The second hop spends what the first one pays at least; the surplus stays in the wallet."""
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


def test_rent_is_the_lamports_of_new_accounts_of_the_wallet() -> None:
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
