"""Two values for every term of an order."""

from typing import Any, Final

from orderd.domain.terms_given import GivenTerms

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
    "type": ("market", "limit"),
    "limit_price": (None, "105"),
    "stop_price": (None, "95"),
    "take_profit_price": (None, "120"),
    "trail": (None, "3%"),
    "min_liquidity": (None, "5000"),
    "max_pool_fee": ("5", "3"),
    "max_round_trip_loss": ("10", "20"),
    "max_holder": (None, "20"),
    "allow": (None, "mint_authority"),
    "max_slippage": ("5", "3"),
    "confirm": (2, 3),
    "confirm_for": (None, "2s"),
    "time_in_force": ("gtc", "ioc"),
    "partial": (False, True),
    "min_fill": ("10", "20"),
    "slices": (None, 10),
    "over": ("5m", "10m"),
    "every": ("30s", "1h"),
    "jitter": (None, "20"),
    "catch_up": ("one", "all"),
    "then_take_profit": (None, "130"),
    "then_stop": (None, "80"),
    "valid_for": (None, "30s"),
    "expires": (None, "2026-12-01T09:30:00Z"),
}
_ON_LIQUIDITY: Final = {"limit_price": "105", "min_liquidity": "5000"}
_BESIDE: Final[dict[str, dict[str, Any]]] = {
    "min_liquidity": {"limit_price": "105"},
    "max_pool_fee": _ON_LIQUIDITY,
    "max_round_trip_loss": _ON_LIQUIDITY,
    "max_holder": _ON_LIQUIDITY,
    "allow": _ON_LIQUIDITY,
    "max_slippage": {"stop_price": "95"},
    "confirm": {"stop_price": "95"},
    "confirm_for": {"stop_price": "95"},
    "time_in_force": {"limit_price": "105"},
    "partial": {"limit_price": "105"},
    "min_fill": {"limit_price": "105", "partial": True},
    "slices": {"over": "5m"},
    "over": {"slices": 10},
    "every": {"slices": 10},
    "jitter": {"slices": 10, "every": "30s"},
    "catch_up": {"slices": 10, "every": "30s"},
}
"""The other terms that a term requires."""
_OF_SALES: Final = ("amount_in", "min_out")
_OF_PURCHASES: Final = ("exact_out", "max_in")


def _all_but(left_out: tuple[str, ...]) -> GivenTerms:
    return GivenTerms(
        **{name: value for name, (value, _) in SAMPLES.items() if name not in _BESIDE and name not in left_out}
    )


GIVEN: Final = _all_but(_OF_PURCHASES)
"""All terms of an order that sells an exact amount."""
GIVEN_TO_BUY: Final = _all_but(_OF_SALES)
"""All terms of an order that buys an exact amount."""


def with_one(name: str) -> GivenTerms:
    """Terms that contain this one with its first value."""
    given = GIVEN_TO_BUY if name in _OF_PURCHASES else GIVEN
    needed = {} if SAMPLES[name][0] is None else _BESIDE.get(name, {})
    return GivenTerms(**{**given.model_dump(), "type": None, **needed, name: SAMPLES[name][0]})


def with_another(name: str) -> GivenTerms:
    """The same terms but for one."""
    given = GIVEN_TO_BUY if name in _OF_PURCHASES else GIVEN
    needed = {"limit_price": "105"} if name == "type" else _BESIDE.get(name, {})
    return GivenTerms(**{**given.model_dump(), "type": None, **needed, name: SAMPLES[name][1]})
