"""One plan signed, where a test is about no more."""

from orderd.engine.execution.building import Builder, SignedAttempt, SwapPlan
from orderd.engine.execution.wallet_funds import Promised


def sign_one(builder: Builder, plan: SwapPlan, memo: str) -> SignedAttempt:
    """Raises what keeps it from being signed."""
    (answer,) = builder.sign([(plan, memo)], Promised())
    if isinstance(answer, Exception):
        raise answer
    return answer
