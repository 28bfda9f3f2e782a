"""Every term of an order: what it may be, and what it may be instead."""

from typing import Any, Final

from orderd.domain.terms import GivenTerms

SAMPLES: Final[dict[str, tuple[Any, Any]]] = {
    "token_in": ("SOL", "CHILLGUY"),
    "token_out": ("USDC", "CHILLGUY"),
    "amount_in": ("1.5", "1.25"),
    "exact_out": ("150", "149.5"),
    "slippage": ("0.5", "1"),
    "min_out": ("150", "149.5"),
    "max_in": ("1.5", "1.25"),
    "max_cost": ("1.5", "2"),
    "floor": ("first", "each"),
    "use_wrapped": (False, True),
}
_OF_SALES: Final = ("amount_in", "min_out")
_OF_PURCHASES: Final = ("exact_out", "max_in")


def _all_but(left_out: tuple[str, ...]) -> GivenTerms:
    return GivenTerms(**{name: value for name, (value, _) in SAMPLES.items() if name not in left_out})


GIVEN: Final = _all_but(_OF_PURCHASES)
"""All that can be said of an order that sells an exact amount."""
GIVEN_TO_BUY: Final = _all_but(_OF_SALES)
"""All that can be said of one that buys an exact amount."""


def with_one(name: str) -> GivenTerms:
    """Terms with this one among them."""
    return GIVEN_TO_BUY if name in _OF_PURCHASES else GIVEN


def with_another(name: str) -> GivenTerms:
    """The same terms but for one."""
    return GivenTerms(**{**with_one(name).model_dump(), name: SAMPLES[name][1]})
