from decimal import Decimal

import pytest

from orderd.domain.slippage import against_mid, against_quote


@pytest.mark.parametrize(
    ("traded", "quoted", "lost"),
    [
        ((1_000, 990), (1_000, 1_000), "100"),
        ((1_000, 1_010), (1_000, 1_000), "-100"),
        ((1_010, 1_000), (1_000, 1_000), "99.01"),  # an exact output that cost more
        ((1_000, 1_000), (1_000, 1_000), "0"),
        ((10**18, 10**18 + 1), (10**18, 10**18), "0"),
    ],
    ids=["received less", "received more", "paid more", "as quoted", "negligible"],
)
def test_slippage_to_the_quote_is_the_relative_loss(
    traded: tuple[int, int], quoted: tuple[int, int], lost: str
) -> None:
    assert against_quote(*traded, *quoted) == Decimal(lost)


def test_a_negligible_slippage_has_no_sign() -> None:
    assert f"{against_quote(10**18, 10**18 + 1, 10**18, 10**18):f}" == "0.00"


@pytest.mark.parametrize(
    ("sold", "bought", "mid", "lost"),
    [
        ((1_500_000_000, 9), (150_000_000, 6), "101", "99.01"),
        ((150_000_000, 6), (1_500_000_000, 9), "0.01", "0"),
    ],
)
def test_slippage_to_the_mid_uses_whole_tokens(
    sold: tuple[int, int], bought: tuple[int, int], mid: str, lost: str
) -> None:
    assert against_mid(*sold, *bought, mid) == Decimal(lost)
