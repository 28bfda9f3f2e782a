"""Invalid input from a trader or a faulty program: each message is answered with an error and changes nothing."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from orderd.domain.errors import ERRORS, ErrorCode
from orderd.process.temporary import Daemon, running_daemon
from orderd.wire.problem import Problem
from orderd.wire.quotes import QuoteParams
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams
from tests.conftest import QUICK

GOOD = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.1", "client_order_id": "never-stored"}


FIELDS = {
    Method.ORDER_SUBMIT: SubmitParams.model_fields,
    Method.ORDER_PREVIEW: SubmitParams.model_fields,
    Method.QUOTE: QuoteParams.model_fields,
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    """One daemon for all tests of the module: no message that they send may change it."""
    with running_daemon(tmp_path_factory.mktemp("orderd"), QUICK | shared_database) as running:
        yield running


@pytest.fixture
def socket(daemon: Daemon, shared_database: dict[str, str]) -> Iterator[ClientConnection]:
    """A connection; after the test the daemon must still answer, and its database must be unchanged."""
    url = shared_database["ORDERD_DATABASE_URL"]
    before = everything_stored(url)
    with connect(daemon.url, compression=None) as connection:
        yield connection
    with connect(daemon.url, compression=None) as connection:
        assert "result" in answer_to(connection, call("status", {}))
    assert everything_stored(url) == before


def everything_stored(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, except tables that change without orders.

    Those are the log of refusals, the liveness of processes, the wallet's balances and movements, and data read from
    the chain.
    """
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        others = {"audit", "refusals", "processes", "clock", "balances", "movements", "reconciled"}
        others |= {"candles", "mints", "pools_found"}
        tables = [name for (name,) in cursor.fetchall() if name not in others]
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows[table] = cursor.fetchall()
        return rows


def call(method: str, params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})


def answer_to(connection: ClientConnection, message: str | bytes) -> dict[str, Any]:
    connection.send(message)
    answer: dict[str, Any] = json.loads(connection.recv(timeout=30))
    return answer


def problem_of(connection: ClientConnection, message: str | bytes) -> Problem:
    """The typed error that answers ``message``, with title, detail and next step."""
    answer = answer_to(connection, message)
    assert "result" not in answer
    problem = Problem.model_validate(answer["error"]["data"])
    spec = ERRORS[problem.code]
    assert (problem.title, problem.next_step) == (spec.title, spec.next_step)
    assert problem.detail
    assert answer["error"]["message"] == problem.title
    return problem


@pytest.mark.parametrize("method", FIELDS)
@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"amount_in": "-1"}, ErrorCode.AMOUNT_NOT_POSITIVE, "-1"),
        ({"amount_in": "0"}, ErrorCode.AMOUNT_NOT_POSITIVE, "0"),
        ({"amount_in": "0.000"}, ErrorCode.AMOUNT_NOT_POSITIVE, "0.000"),
        ({"amount_in": "NaN"}, ErrorCode.AMOUNT_INVALID, "NaN"),
        ({"amount_in": "Infinity"}, ErrorCode.AMOUNT_INVALID, "Infinity"),
        ({"amount_in": "1e3"}, ErrorCode.AMOUNT_INVALID, "1e3"),
        ({"amount_in": "1,5"}, ErrorCode.AMOUNT_INVALID, "1,5"),
        ({"amount_in": ""}, ErrorCode.AMOUNT_INVALID, "''"),
        ({"amount_in": "\u0661"}, ErrorCode.AMOUNT_INVALID, "plain decimal"),
        ({"amount_in": "1" * 90}, ErrorCode.AMOUNT_INVALID, "plain decimal"),
        ({"amount_in": "0.0000000001"}, ErrorCode.AMOUNT_TOO_PRECISE, "9 decimals"),
        ({"amount_in": "18446744073.709551616"}, ErrorCode.AMOUNT_TOO_LARGE, "18446744073.709551616"),
        ({"token_in": "USDD"}, ErrorCode.TOKEN_UNKNOWN, "did you mean USDC?"),
        ({"token_out": "So11111111111111111111111111111111111111113"}, ErrorCode.TOKEN_NO_MINT, "So111"),
        ({"token_in": ""}, ErrorCode.TOKEN_UNKNOWN, "''"),
        ({"token_out": "sol"}, ErrorCode.TOKEN_SAME, "SOL"),
        ({"slippage": "-0.01"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE, "-0.01"),
        ({"slippage": "100.01"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE, "100.01"),
        ({"slippage": "0.001"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE, "steps of 0.01"),
        ({"slippage": "much"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE, "'much'"),
        ({"min_out": "0"}, ErrorCode.AMOUNT_NOT_POSITIVE, "0 is not above zero"),
        ({"min_out": "0.0000001"}, ErrorCode.AMOUNT_TOO_PRECISE, "6 decimals"),
        ({"max_cost": "10.01"}, ErrorCode.COST_OUT_OF_RANGE, "0 and 10 %, the daemon's limit"),
        ({"max_cost": "none"}, ErrorCode.COST_OUT_OF_RANGE, "'none'"),
        ({"floor": "none"}, ErrorCode.REQUEST_INVALID, "floor"),
        ({"use_wrapped": None}, ErrorCode.REQUEST_INVALID, "use_wrapped"),
        ({"use_wrapped": True, "token_in": "USDC", "token_out": "SOL"}, ErrorCode.TOKEN_NOT_WRAPPED, "sell USDC"),
        ({"amount_in": 1.5}, ErrorCode.REQUEST_INVALID, "amount_in"),
        ({"amount_in": None}, ErrorCode.REQUEST_INVALID, "amount_in"),
        ({"amount_in": ["1"]}, ErrorCode.REQUEST_INVALID, "amount_in"),
        ({"token_in": {"mint": "SOL"}}, ErrorCode.REQUEST_INVALID, "token_in"),
        ({"slippage": 1}, ErrorCode.REQUEST_INVALID, "slippage"),
        ({"ammount": "1"}, ErrorCode.REQUEST_INVALID, "ammount"),
    ],
)
def test_an_invalid_order_is_refused_with_the_reason(
    socket: ClientConnection, method: Method, wrong: dict[str, object], code: ErrorCode, message: str
) -> None:
    params = {name: value for name, value in GOOD.items() if name in FIELDS[method]}
    problem = problem_of(socket, call(method, params | wrong))
    assert problem.code is code
    assert message in problem.detail


@pytest.mark.parametrize("name", ["", "with blanks", "x" * 65, "a/b", "\u00e9", 7, None])
def test_a_client_order_id_outside_64_plain_characters_is_refused(socket: ClientConnection, name: object) -> None:
    problem = problem_of(socket, call("order.submit", GOOD | {"client_order_id": name}))
    assert problem.code is ErrorCode.REQUEST_INVALID
    assert "client_order_id" in problem.detail


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_field_is_named(socket: ClientConnection, missing: str) -> None:
    rest = {name: value for name, value in GOOD.items() if name != missing}
    problem = problem_of(socket, call("order.submit", rest))
    assert (problem.code, problem.detail) == (ErrorCode.REQUEST_INVALID, f"{missing}: is required")


@pytest.mark.parametrize("method", ["order.get", "order.cancel", "orders.subscribe"])
@pytest.mark.parametrize("unknown", ["0198c0de-0000-7000-8000-000000000000", "no-such-order"])
def test_an_unknown_order_is_not_found(socket: ClientConnection, method: str, unknown: str) -> None:
    problem = problem_of(socket, call(method, {"order": unknown}))
    assert problem.code is ErrorCode.ORDER_NOT_FOUND
    assert unknown in problem.detail


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", ErrorCode.REQUEST_MALFORMED),
        ("{", ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "2.0", "id": 1, "method": "status"', ErrorCode.REQUEST_MALFORMED),
        ("nonsense", ErrorCode.REQUEST_MALFORMED),
        ("7", ErrorCode.REQUEST_MALFORMED),
        ("null", ErrorCode.REQUEST_MALFORMED),
        ("[]", ErrorCode.REQUEST_MALFORMED),
        ("{}", ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "1.0", "id": 1, "method": "status"}', ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "2.0", "id": 1}', ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "2.0", "id": 1, "method": 5}', ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "2.0", "id": {}, "method": "status"}', ErrorCode.REQUEST_MALFORMED),
        pytest.param("[" * 30_000, ErrorCode.REQUEST_MALFORMED, id="deep"),
        (b"\xff\xfe", ErrorCode.REQUEST_MALFORMED),
        ('{"jsonrpc": "2.0", "id": 1, "method": "order.sumbit"}', ErrorCode.REQUEST_UNKNOWN_METHOD),
        ('{"jsonrpc": "2.0", "id": 1, "method": "order.submit"}', ErrorCode.REQUEST_INVALID),
        ('{"jsonrpc": "2.0", "id": 1, "method": "order.submit", "params": []}', ErrorCode.REQUEST_INVALID),
        ('{"jsonrpc": "2.0", "id": 1, "method": "status", "params": "all"}', ErrorCode.REQUEST_INVALID),
    ],
)
def test_a_malformed_message_is_refused_and_the_connection_stays_open(
    socket: ClientConnection, message: str | bytes, code: ErrorCode
) -> None:
    assert problem_of(socket, message).code is code
    assert "result" in answer_to(socket, call("status", {}))


def test_a_frame_of_a_megabyte_closes_the_connection(socket: ClientConnection) -> None:
    problem = problem_of(socket, call("order.submit", GOOD | {"amount_in": "1" * 2**20}))
    assert problem.code is ErrorCode.REQUEST_TOO_LARGE
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert "exceeds limit of 65536 bytes" in closed.value.rcvd.reason
