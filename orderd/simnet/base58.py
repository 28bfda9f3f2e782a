"""Base58 for byte strings of any length, in Bitcoin's alphabet; Solana's RPC encodes instruction data and small
accounts in it.

Own code, because ``base58`` works digit by digit in Python, ``based58`` is no longer maintained, and solders encodes
only keys, hashes and signatures.
"""

from functools import lru_cache
from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_PIECE: Final = 58**10
"""Ten digits at a time fit into a machine word, by which Python divides faster than by a long integer."""


@lru_cache(maxsize=1_024)
def b58encode(data: bytes) -> str:
    """The text of ``data``; each leading zero byte becomes a 1. Cached, because instruction data repeats."""
    number = int.from_bytes(data, "big")
    pairs = []
    while number:
        number, piece = divmod(number, _PIECE)
        for _ in range(5):
            piece, pair = divmod(piece, 58 * 58)
            pairs.append(_PAIRS[pair])
    digits = "".join(reversed(pairs)).lstrip("1")
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + digits


def b58decode(text: str) -> bytes:
    """The bytes of ``text``. Raises ValueError for a letter outside the alphabet."""
    number = 0
    for letter in text:
        if letter not in _DIGITS:
            raise ValueError(f"{letter!r} is not a base58 digit")
        number = number * 58 + _DIGITS[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
