"""Updates the pools of a chain that an earlier version started to what genesis writes today."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.account import LedgerAccount
from orderd.solana.pool_programs import part, program_of
from orderd.solana.programs.layout import Record

Renewals = Mapping[type[Record], Callable[[Any], Record]]
"""By layout: a function that returns the record as today's genesis writes it. It changes only fields that swaps leave
alone."""


def renewed(accounts: Mapping[Pubkey, LedgerAccount]) -> dict[Pubkey, LedgerAccount | None]:
    """The pools' accounts that today's genesis would write differently, in their new state."""
    found: dict[Pubkey, LedgerAccount | None] = {}
    for kind in PoolKind:
        renewals: Renewals = part(kind, "simnet.genesis").RENEWALS
        program = program_of(kind).ids["simnet"]
        for key, account in accounts.items():
            if account.owner == program:
                found.update((key, account._replace(data=data)) for data in _renewed(account.data, renewals))
    return found


def _renewed(data: bytes, renewals: Renewals) -> Iterator[bytes]:
    """The bytes that replace ``data``, if they differ."""
    for layout, renew in renewals.items():
        if data.startswith(layout.DISCRIMINATOR):
            after = renew(layout.decode(data)).encode()
            if after != data:
                yield after
