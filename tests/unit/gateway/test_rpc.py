"""JSON-RPC 2.0 by its specification, with informative errors."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.dispatch import MAX_BATCH, Reply, Rpc, RpcMethod
from orderd.gateway.streaming.session import Session
from orderd.wire.message import Message, NoParams
from orderd.wire.orders import GetParams, ListParams
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams
from orderd.wire.subscriptions import UnsubscribeResult

_ACCOUNT = UUID(int=1)
_DONE = UnsubscribeResult(removed=True)
_SUBMIT = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": "a"}


class Peer:
    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.answered = asyncio.Event()

    async def answer(self, message: bytes) -> None:
        self.answers.append(json.loads(message))
        self.answered.set()

    def push(self, message: bytes) -> None:
        self.answers.append(message.decode())

    def close_slow(self) -> None:
        raise AssertionError("no peer is slow in this test")


class Served:
    """An Rpc with a few methods, and the calls that reached them."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, Message]] = []
        self.gate = asyncio.Event()
        self.rpc = Rpc(
            {
                Method.ORDER_SUBMIT: RpcMethod(SubmitParams, UnsubscribeResult, Scope.TRADE, self._note("submit")),
                Method.ORDERS_LIST: RpcMethod(ListParams, UnsubscribeResult, Scope.READ, self._note("list")),
                Method.BALANCES: RpcMethod(NoParams, UnsubscribeResult, Scope.READ, self._note("balances")),
                Method.STATUS: RpcMethod(NoParams, UnsubscribeResult, Scope.READ, self._fail),
                Method.ORDER_GET: RpcMethod(GetParams, UnsubscribeResult, Scope.READ, self._refuse),
                Method.ORDERS_SUBSCRIBE: RpcMethod(NoParams, UnsubscribeResult, Scope.READ, self._follow),
                Method.QUOTE: RpcMethod(NoParams, UnsubscribeResult, Scope.READ, self._wait),
            }
        )

    def _note(self, name: str) -> Any:
        async def handle(_: Session, params: Message) -> UnsubscribeResult:
            self.handled.append((name, params))
            return _DONE

        return handle

    async def _fail(self, _: Session, params: Message) -> UnsubscribeResult:
        raise ZeroDivisionError("an internal detail")

    async def _refuse(self, _: Session, params: GetParams) -> UnsubscribeResult:
        raise OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no order {params.order}")

    async def _follow(self, session: Session, params: Message) -> Reply[UnsubscribeResult]:
        return Reply(_DONE, then=lambda: session.peer.push(b"first event"))

    async def _wait(self, _: Session, params: Message) -> UnsubscribeResult:
        await self.gate.wait()
        return _DONE


def ask(*messages: str | bytes | dict[str, Any] | list[Any], scope: Scope = Scope.TRADE) -> tuple[Served, list[Any]]:
    """Send messages to a new Rpc; returns the handled calls and all answers."""

    async def talk() -> tuple[Served, list[Any]]:
        served, peer = Served(), Peer()
        session = Session(peer, Principal(_ACCOUNT, scope, "test"))
        for message in messages:
            text = message if isinstance(message, str | bytes) else json.dumps(message)
            await served.rpc.receive(session, text if isinstance(text, bytes) else text.encode())
        await session.finish()
        return served, peer.answers

    return asyncio.run(talk())


def call(method: str, params: Any = None, call_id: Any = 1) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": call_id, "method": method}
    return message if params is None else message | {"params": params}


def test_a_call_is_answered_with_its_result_and_its_id() -> None:
    for call_id in (1, 0, -5, "abc", "", None, 2**62):
        served, answers = ask(call("order.submit", _SUBMIT, call_id))
        assert answers == [{"jsonrpc": "2.0", "id": call_id, "result": {"removed": True}}]
        assert served.handled == [("submit", SubmitParams(**_SUBMIT))]


def test_parameters_may_be_left_out_where_none_is_required() -> None:
    served, answers = ask(call("orders.list"), call("balances"), call("balances", {}))
    assert [answer["result"] for answer in answers] == [{"removed": True}] * 3
    assert served.handled[0] == ("list", ListParams())


def test_a_notification_is_executed_and_never_answered() -> None:
    served, answers = ask(
        {"jsonrpc": "2.0", "method": "order.submit", "params": _SUBMIT},
        {"jsonrpc": "2.0", "method": "order.submit", "params": {}},
        {"jsonrpc": "2.0", "method": "no.such"},
        {"jsonrpc": "2.0", "method": "order.get", "params": {"order": "0190"}},
    )
    assert answers == []
    assert [name for name, _ in served.handled] == ["submit"]


@pytest.mark.parametrize(
    ("message", "code", "call_id"),
    [
        ("", -32700, None),
        ("{", -32700, None),
        ('{"jsonrpc": "2.0", "id": 1, "method"', -32700, None),
        (b"\xff\xfe", -32700, None),
        ("[" * 10_000, -32700, None),
        ("[1, ", -32700, None),
        ("1", -32600, None),
        ("null", -32600, None),
        ('"text"', -32600, None),
        ("{}", -32600, None),
        ("[]", -32600, None),
        ({"id": 7, "method": "balances"}, -32600, 7),
        ({"jsonrpc": "1.0", "id": "x", "method": "balances"}, -32600, "x"),
        ({"jsonrpc": "2.0", "id": 7}, -32600, 7),
        ({"jsonrpc": "2.0", "id": 7, "method": 1}, -32600, 7),
        ({"jsonrpc": "2.0", "method": 1}, -32600, None),
        ({"jsonrpc": "2.0", "id": True, "method": "balances"}, -32600, None),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "balances"}, -32600, None),
        ({"jsonrpc": "2.0", "id": [1], "method": "balances"}, -32600, None),
        ({"jsonrpc": "2.0", "id": "x" * 201, "method": "balances"}, -32600, None),
        ({"jsonrpc": "2.0", "id": 10**30, "method": "balances"}, -32600, 10**30),
        (call("no.such"), -32601, 1),
        (call("order.submit"), -32602, 1),
        (call("order.submit", []), -32602, 1),
        (call("order.submit", ["SOL", "USDC", "1", "a"]), -32602, 1),
        (call("balances", {"surprise": 1}), -32602, 1),
        (call("order.get", {"order": "0190abcd"}), -32000, 1),
        (call("status"), -32603, 1),
    ],
)
def test_an_error_has_the_code_of_the_specification_and_the_callers_id(
    message: str | bytes | dict[str, Any], code: int, call_id: object
) -> None:
    served, (answer,) = ask(message)
    assert answer["jsonrpc"] == "2.0"
    assert answer["error"]["code"] == code
    assert answer["id"] == call_id
    problem = answer["error"]["data"]
    assert problem["detail"]
    assert problem["next_step"]
    assert not served.handled


@pytest.mark.parametrize(
    ("params", "detail"),
    [
        ({"amount_in": 1.5}, "amount_in: should be a valid string, not 1.5"),
        ({"token_in": None}, "token_in: should be a valid string, not null"),
        ({"token_in": {"a": 1}}, 'token_in: should be a valid string, not {"a":1}'),
        ({"surprise": 1}, "surprise: is not a parameter of order.submit"),
        ({"client_order_id": "no spaces"}, "client_order_id: should match pattern"),
        ({"token_in": "x" * 65}, "token_in: should have at most 64 characters"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_wrong_and_what_was_given(params: dict[str, Any], detail: str) -> None:
    _, (answer,) = ask(call("order.submit", _SUBMIT | params))
    assert answer["error"]["data"]["code"] == "REQUEST_INVALID"
    assert answer["error"]["data"]["detail"].startswith(detail)


def test_all_missing_parameters_are_named() -> None:
    _, (answer,) = ask(call("order.submit", {}))
    assert answer["error"]["data"]["detail"] == (
        "token_in: is required; token_out: is required; client_order_id: is required"
    )


def test_parameters_are_not_coerced() -> None:
    """ "5" is not 5, and 1 is not true, so that bugs of clients show at once."""
    for params in ({"limit": "5"}, {"limit": True}, {"limit": 5.0}, {"status": "pending"}, {"status": ["nope"]}):
        _, (answer,) = ask(call("orders.list", params))
        assert answer["error"]["code"] == -32602, params


def test_an_unknown_method_is_refused_with_a_suggestion() -> None:
    _, (answer,) = ask(call("order.sumbit", _SUBMIT))
    assert "did you mean order.submit?" in answer["error"]["data"]["detail"]
    _, (answer,) = ask(call("zzz"))
    assert "orders.list" in answer["error"]["data"]["detail"]


def test_an_unexpected_exception_is_logged_and_not_shown() -> None:
    _, (answer,) = ask(call("status"))
    assert answer["error"]["data"]["code"] == "SERVICE_INTERNAL"
    assert "correlation_id" in answer["error"]["data"]["detail"]
    assert "secret" not in json.dumps(answer)
    assert "ZeroDivision" not in json.dumps(answer)


def test_a_method_needs_its_scope() -> None:
    _, (listed, refused) = ask(call("orders.list"), call("order.submit", _SUBMIT), scope=Scope.READ)
    assert "result" in listed
    assert refused["error"]["data"]["code"] == "AUTH_FORBIDDEN"
    assert "trade" in refused["error"]["data"]["detail"]


def test_a_batch_is_answered_by_a_batch_without_the_notifications() -> None:
    served, (answer,) = ask(
        [
            call("orders.list", call_id="a"),
            {"jsonrpc": "2.0", "method": "balances"},
            7,
            call("no.such", call_id="b"),
        ]
    )
    by_id = {each["id"]: each for each in answer}
    assert len(answer) == 3
    assert "result" in by_id["a"]
    assert by_id["b"]["error"]["code"] == -32601
    assert by_id[None]["error"]["code"] == -32600
    assert len(served.handled) == 2


def test_a_batch_of_notifications_is_not_answered() -> None:
    served, answers = ask([{"jsonrpc": "2.0", "method": "balances"}] * 3)
    assert answers == []
    assert len(served.handled) == 3


def test_a_batch_has_a_maximum_size() -> None:
    served, answers = ask([call("balances", call_id=number) for number in range(MAX_BATCH)])
    assert len(answers[0]) == MAX_BATCH
    served, (answer,) = ask([call("balances")] * (MAX_BATCH + 1))
    assert answer["error"]["code"] == -32600
    assert not served.handled


@pytest.mark.parametrize("batch", [False, True])
def test_what_follows_an_answer_is_sent_after_it(batch: bool) -> None:
    message = call("orders.subscribe")
    _, answers = ask([message] if batch else message)
    assert answers[1] == "first event"


def test_calls_are_answered_as_they_finish() -> None:
    async def talk() -> Sequence[Any]:
        served, peer = Served(), Peer()
        session = Session(peer, Principal(_ACCOUNT, Scope.READ, "test"))
        await served.rpc.receive(session, json.dumps(call("quote", call_id="slow")).encode())
        await served.rpc.receive(session, json.dumps(call("balances", call_id="quick")).encode())
        await peer.answered.wait()
        served.gate.set()
        await session.finish()
        return [answer["id"] for answer in peer.answers]

    assert asyncio.run(talk()) == ["quick", "slow"]


def test_a_session_that_ends_drops_its_unanswered_calls() -> None:
    async def talk() -> list[Any]:
        served, peer = Served(), Peer()
        session = Session(peer, Principal(_ACCOUNT, Scope.READ, "test"))
        await served.rpc.receive(session, json.dumps(call("quote")).encode())
        await asyncio.sleep(0)
        session.end()
        await session.finish()
        return peer.answers

    assert asyncio.run(talk()) == []


TWICE = '{"jsonrpc": "2.0", "id": 7, "method": "order.submit", "params": %s}'
PARAMS = '{"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": "a"}'


@pytest.mark.parametrize(
    ("message", "member", "call_id"),
    [
        (TWICE % PARAMS.replace('"1"', '"1", "amount_in": "100"'), "amount_in", 7),
        (TWICE % PARAMS.replace('"1"', '"1", "amount\\u005fin": "100"'), "amount_in", 7),
        (TWICE % f'{PARAMS}, "params": {PARAMS}', "params", 7),
        (TWICE.replace('"id": 7', '"id": 7, "id": 8') % PARAMS, "id", None),
        ("[" + TWICE % PARAMS.replace('"1"', '"1", "amount_in": "100"') + "]", "amount_in", None),
    ],
)
def test_a_duplicate_member_is_refused_by_name(message: str, member: str, call_id: int | None) -> None:
    served, answers = ask(message)

    assert served.handled == []
    assert [answer["id"] for answer in answers] == [call_id]
    assert answers[0]["error"]["data"]["code"] == "REQUEST_INVALID"
    assert f"the member {member!r} is given twice" in answers[0]["error"]["data"]["detail"]


def test_a_notification_that_repeats_a_member_is_ignored() -> None:
    message = TWICE.replace('"id": 7, ', "") % PARAMS.replace('"1"', '"1", "amount_in": "100"')

    served, answers = ask(message)
    assert (served.handled, answers) == ([], [])


def test_colons_within_a_value_are_not_members() -> None:
    served, _ = ask(TWICE % PARAMS.replace('"a"', '"a:b:c:d"'))
    assert len(served.handled) == 1
