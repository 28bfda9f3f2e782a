"""Addresses for which a program signs."""

from functools import lru_cache

from solders.pubkey import Pubkey


@lru_cache(maxsize=1_024)
def signing_address(seeds: tuple[bytes, ...], bump: int, program_id: Pubkey) -> Pubkey | None:
    """The address for which a program signs with these seeds and this bump; None if they give no valid address."""
    try:
        return Pubkey.create_program_address([*seeds, bytes([bump])], program_id)
    except Exception:  # noqa: BLE001  (solders' error has no name that could be imported)
        return None
