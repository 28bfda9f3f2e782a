"""What the tests of the kinds share: a local chain to swap on."""

from tests.unit.simnet.conftest import chain

__all__ = ["chain"]
