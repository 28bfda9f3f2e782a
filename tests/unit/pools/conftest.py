"""Shared by the tests of the pool kinds: a local chain for swaps."""

from tests.unit.simnet.conftest import chain

__all__ = ["chain"]
