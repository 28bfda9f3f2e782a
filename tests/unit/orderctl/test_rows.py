"""Files of orders in the formats that spreadsheets and programs write."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.trading.orders_file import read_orders
from orderctl.trading.rows import WrongRowError, read_rows
from orderd.client.errors import ConfigError

REQUIRED = ("token_in", "token_out", "amount_in")
OPTIONAL = ("slippage", "client_order_id")
TABLE = "token_in,token_out,amount_in,slippage\nSOL,USDC,1.5,0.3\nUSDC,SOL,250,\n"
OBJECTS = [
    {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "slippage": "0.3"},
    {"token_in": "USDC", "token_out": "SOL", "amount_in": "250"},
]
SAME_ORDERS = {
    "commas": TABLE.encode(),
    "a mark of UTF-8": TABLE.encode("utf-8-sig"),
    "UTF-16, as spreadsheets write it": TABLE.replace(",", "\t").encode("utf-16"),
    "semicolons": TABLE.replace(",", ";").encode(),
    "tabs": TABLE.replace(",", "\t").encode(),
    "lines of Windows": TABLE.replace("\n", "\r\n").encode(),
    "blank lines": TABLE.replace("\n", "\n\n,,,\n").encode(),
    "a blank line first": b"\n  \n" + TABLE.encode(),
    "trailing empty columns": TABLE.replace("\n", ",,\n").encode(),
    "spaces around": TABLE.replace(",", " , ").encode(),
    "quotes": TABLE.replace("SOL", '"SOL"').encode(),
    "objects a line": "\n".join(json.dumps(row) for row in OBJECTS).encode(),
    "an array": json.dumps(OBJECTS, indent=2).encode(),
    "an array after a mark": json.dumps(OBJECTS).encode("utf-8-sig"),
    "numbers": json.dumps(OBJECTS).replace('"1.5"', "1.5").replace('"250"', "250").encode(),
}
WRONG = {
    "headings alone": (b"token_in,token_out,amount_in\n", "the file contains no order"),
    "an empty array": (b"[]", "the file contains no order"),
    "a heading twice": (b"token_in,token_out,amount_in,amount_in\nSOL,USDC,1,2\n", "amount_in appears twice"),
    "a member twice": (
        b'{"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "amount_in": "100"}',
        "line 1: the member 'amount_in' is given twice",
    ),
    "a member twice in an array": (
        b'[{"token_in": "SOL", "token_out": "USDC", "amount_in": 1, "amount_in": 100}]',
        "the member 'amount_in' is given twice",
    ),
    "an empty member": (
        b'{"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": ""}',
        "client_order_id is empty",
    ),
    "a member that is not text": (
        b'{"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": ["mine"]}',
        "client_order_id must be text, a number, true or false",
    ),
    "a flag where a text is due": (
        b'{"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": true}',
        "line 1: A field is missing or has the wrong type: client_order_id: Input should be a valid string, not 'True'",
    ),
    "neither yes nor no": (
        b"token_in,token_out,amount_in,use_wrapped\nSOL,USDC,1,maybe\n",
        "line 2: A field is missing or has the wrong type: use_wrapped: Input should be a valid boolean",
    ),
    "wrapped SOL of another token": (
        b"token_in,token_out,amount_in,use_wrapped\nUSDC,SOL,1,true\n",
        "line 2: Only SOL can be wrapped: the order would sell USDC from the wallet's wrapped SOL",
    ),
    "a member that nobody knows": (b'{"model": "SOL"}', "line 1"),
    "a value beyond the headings": (b"token_in,token_out,amount_in\nSOL,USDC,1,,2\n", "line 2: expected 3 values"),
    "a quote that does not end": (b'token_in,token_out,amount_in\n"SOL,USDC,1\nSOL,USDC,1\n', "this is not CSV"),
    "Latin-1": ("token_in,token_out,amount_in\nSOL,\u00fc,1".encode("latin-1"), "save it as UTF-8"),
    "UTF-16 without a mark": (TABLE.encode("utf-16-le"), "NUL characters"),
    "a decimal comma": (b"token_in;token_out;amount_in\nSOL;USDC;1,5\n", "line 2: The amount is not a decimal number"),
    "deep nesting": (b"[" * 100_000, "this is not JSON"),
}


@pytest.mark.parametrize("content", SAME_ORDERS.values(), ids=SAME_ORDERS.keys())
def test_equal_orders_may_be_written_in_many_formats(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders"
    path.write_bytes(content)
    orders = read_orders(str(path), {}, "batch")

    assert [order.model_dump(exclude_defaults=True) for order in orders] == [
        {**OBJECTS[0], "client_order_id": "batch-1"},
        {**OBJECTS[1], "client_order_id": "batch-2"},
    ]


@pytest.mark.parametrize(("content", "why"), WRONG.values(), ids=WRONG.keys())
def test_ambiguous_files_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "orders"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as refused:
        read_orders(str(path), {}, "batch")
    assert why in refused.value.detail


@given(
    st.text()
    | st.lists(st.text(alphabet='{}[]",;:\t\nab1 \\'), max_size=9).map("\n".join)
    | st.text().map(lambda more: f"token_in,token_out,amount_in\n{more}")
)
def test_any_text_is_parsed_or_refused_with_the_line(text: str) -> None:
    with suppress(WrongRowError):
        for place, row in read_rows(text, REQUIRED, OPTIONAL):
            assert place
            assert all(value is None or isinstance(value, str) for value in row.values())
