"""Signs a single plan, for tests that need only one."""

from orderd.engine.execution.building import Builder, SignedAttempt
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.execution.wallet_funds import Promised


def sign_one(builder: Builder, plan: SwapPlan, memo: str) -> SignedAttempt:
    """Raises the error because of which the plan was not signed."""
    (answer,) = builder.sign([(plan, memo)], Promised())
    if isinstance(answer, Exception):
        raise answer
    return answer
