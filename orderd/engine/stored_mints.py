"""What Postgres knows of mints that this process has not met yet."""

from collections.abc import Iterable

from db import tokens as stored
from orderd.domain.tokens import TokenRegistry


def learn(tokens: TokenRegistry, mints: Iterable[str]) -> None:
    """Have the registry know those of the mints that were ever read from the chain. Needs a connection."""
    missing = [mint for mint in mints if tokens.find(mint) is None]
    if missing:
        for facts in stored.mints_known(missing):
            tokens.learn(facts)
