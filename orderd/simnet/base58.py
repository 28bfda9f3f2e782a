"""Base58 of any bytes, in Bitcoin's alphabet, as Solana's RPC writes instruction data and small accounts.

The libraries for it (base58, based58) work digit by digit in Python, or are no longer maintained; solders writes only
keys, hashes and signatures in base58.
"""

from functools import lru_cache
from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_PIECE: Final = 58**10
"""Ten digits at a time: they fit into a machine word, with which Python divides faster than with the whole number."""


@lru_cache(maxsize=1_024)
def b58encode(data: bytes) -> str:
    """The text of ``data``; each leading zero byte is a 1. What programs are called with is often the same."""
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
            raise ValueError(f"{letter!r} is no base58 digit")
        number = number * 58 + _DIGITS[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
