"""Loads stored mints that this process does not know yet from Postgres."""

from collections.abc import Iterable

from db import tokens as stored
from orderd.domain.tokens import TokenRegistry


def learn(tokens: TokenRegistry, mints: Iterable[str]) -> None:
    """Add those of these mints that were ever read from the chain to the registry. Needs a connection."""
    missing = [mint for mint in mints if tokens.find(mint) is None]
    if missing:
        for facts in stored.mints_known(missing):
            tokens.learn(facts)
