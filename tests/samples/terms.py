"""Every term of an order: what it may be, and what it may be instead."""

from typing import Any, Final

from orderd.domain.terms import GivenTerms

SAMPLES: Final[dict[str, tuple[Any, Any]]] = {
    "token_in": ("SOL", "CHILLGUY"),
    "token_out": ("USDC", "CHILLGUY"),
    "amount_in": ("1.5", "1.25"),
    "slippage": ("0.5", "1"),
    "min_out": ("150", "149.5"),
    "max_cost": ("1.5", "2"),
    "floor": ("first", "each"),
    "use_wrapped": (False, True),
}
GIVEN: Final = GivenTerms(**{name: value for name, (value, _) in SAMPLES.items()})


def with_another(name: str) -> GivenTerms:
    """The same terms but for one."""
    return GivenTerms(**{**GIVEN.model_dump(), name: SAMPLES[name][1]})
