"""One plan signed, where a test is about no more."""

from orderd.engine.execution.building import Builder, SignedAttempt, SwapPlan


def sign_one(builder: Builder, plan: SwapPlan, memo: str) -> SignedAttempt:
    """Raises what keeps it from being signed."""
    (answer,) = builder.sign([(plan, memo)])
    if isinstance(answer, Exception):
        raise answer
    return answer
