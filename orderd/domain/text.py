"""Decodes the bytes of a file: UTF-8, or the encoding of its byte order mark."""

import codecs
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NoTextError(ValueError):
    """The bytes are not text in a known encoding."""


def text_of(data: bytes) -> str:
    """``data`` as text, without its mark. Raises NoTextError, which names the accepted encodings."""
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"it is not in UTF-8 (byte {data[len(mark) :][error.start]:#04x} in line {line})"
        if mark:
            why = f"it says that it is in {encoding.upper()}, and is not"
        raise NoTextError(f"{why}; save it as UTF-8") from error
    if "\0" in text:
        raise NoTextError("it holds NUL characters, as UTF-16 without a mark and files that are no text do")
    return text
