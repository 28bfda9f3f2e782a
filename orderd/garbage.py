"""Python's search for circles of garbage, in processes that run for long: seldom, and never through what is loaded.

An order makes thousands of objects and next to none of them in circles, so they go when nobody needs them any more. By
Python's own thresholds the search for circles took an eighth of what an order costs.
"""

import gc
from typing import Final

_ALLOCATIONS_A_COLLECTION: Final = 50_000


def collect_rarely() -> None:
    """Called once all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_COLLECTION)
