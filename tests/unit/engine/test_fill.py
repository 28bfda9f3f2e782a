"""A fill is what the balances say, never what was asked for."""

import pytest

from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.settlement.fill import Fill, read_fill
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
    assert read_fill(transaction, WALLET, "sold", "bought") == Fill(95, 30, 5_000, 9)


def test_sol_is_what_the_pools_got_and_gave_without_fee_and_rent() -> None:
    sold = landed(
        TokenBalance("vault", WSOL_MINT, POOL, 10, 17),
        TokenBalance("second vault", WSOL_MINT, POOL, 0, 3),
        TokenBalance("kept", WSOL_MINT, WALLET, 4, 4),
        TokenBalance("purse", USDC_MINT, WALLET, 0, 2),
    )
    assert read_fill(sold, WALLET, WSOL_MINT, USDC_MINT) == Fill(10, 2, 5_000, 9)
    bought = landed(
        TokenBalance("vault", WSOL_MINT, POOL, 17, 9),
        TokenBalance("purse", USDC_MINT, WALLET, 2, 0),
    )
    assert read_fill(bought, WALLET, USDC_MINT, WSOL_MINT) == Fill(2, 8, 5_000, 9)


@pytest.mark.parametrize(("before", "after"), [((100, 100), (0, 30)), ((100, 5), (30, 30)), ((0, 100), (30, 0))])
def test_balances_that_show_no_trade_are_no_fill(before: tuple[int, int], after: tuple[int, int]) -> None:
    transaction = landed(
        TokenBalance("purse", "sold", WALLET, *before), TokenBalance("purse", "bought", WALLET, *after)
    )
    with pytest.raises(ValueError, match="has given"):
        read_fill(transaction, WALLET, "sold", "bought")
