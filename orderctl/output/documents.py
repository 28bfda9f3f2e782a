"""The JSON documents that orderctl prints: each has a ``schema``, which names its kind and the version of the kind.

Amounts are decimal strings in whole tokens, times are ISO-8601 UTC. Members may be added within a version; none is
renamed or removed, and none changes its meaning. ``orderctl schema KIND`` prints the JSON Schema of a kind.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from orderctl.output.colours import CheckResult
from orderd.domain.errors import ErrorCode
from orderd.domain.events import OrderEvent
from orderd.records import (
    HistoryFill,
    HistoryResult,
    Holding,
    PnlDay,
    PnlResult,
    PortfolioResult,
    PriceCandle,
    PricesResult,
)
from orderd.wire import (
    Balance,
    BalancesResult,
    EvidenceResult,
    HaltResult,
    LiftResult,
    ListResult,
    OrderDetail,
    OrderView,
    PoolsResult,
    PoolView,
    QuoteResult,
    SimulatedFill,
    StatusResult,
    SubmitResult,
    TokenFound,
    TokensFound,
    TokensResult,
    TokensUnnameResult,
    TokenView,
)

VERSION: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Events(Document):
    order_id: str
    events: tuple[OrderEvent, ...]


class Submissions(Document):
    """The orders of a file that were taken."""

    submissions: tuple[SubmitResult, ...]


class Tried(SimulatedFill):
    """What an order would do now.

    Of one that would rest nothing is simulated: ``succeeds`` says that it would be taken.
    """


class Overview(Document):
    """What ``orderctl`` alone shows."""

    status: StatusResult
    active: ListResult


class Finding(Document):
    """What was looked at, how it is, and what to do about it: empty where nothing is."""

    check: str
    result: CheckResult
    detail: str
    fix: str = ""


class Doctor(Document):
    findings: tuple[Finding, ...]


class Setting(Document):
    """``origin`` is where it was said: a flag, a variable, a file, or ``default``."""

    name: str
    value: str
    origin: str


class Config(Document):
    settings: tuple[Setting, ...]


class Context(Document):
    name: str
    url: str


class Contexts(Document):
    current: str | None = Field(description="the context in use")
    contexts: tuple[Context, ...]


class Release(Document):
    version: str
    wire_version: int


class Versions(Document):
    orderctl: Release
    orderd: Release | None = Field(description="null where the daemon cannot be reached")


class Failure(Document):
    """On stderr, where JSON was asked for."""

    code: ErrorCode | None = Field(description="null where no daemon was asked")
    title: str
    detail: str
    next_step: str
    exit_code: int


KINDS: Final[dict[type[BaseModel], str]] = {
    BalancesResult: "balances",
    Balance: "balance",
    TokensResult: "tokens",
    TokenView: "token",
    TokensFound: "tokens_found",
    TokenFound: "token_found",
    TokensUnnameResult: "token_removal",
    PoolsResult: "pools",
    PoolView: "pool",
    QuoteResult: "quote",
    Tried: "preview",
    SubmitResult: "submission",
    Submissions: "submissions",
    ListResult: "orders",
    OrderView: "order",
    OrderDetail: "order_detail",
    EvidenceResult: "evidence",
    HistoryResult: "history",
    HistoryFill: "fill",
    PricesResult: "prices",
    PriceCandle: "candle",
    PnlResult: "pnl",
    PnlDay: "pnl_day",
    PortfolioResult: "portfolio",
    Holding: "holding",
    Events: "events",
    OrderEvent: "event",
    StatusResult: "status",
    HaltResult: "halts",
    LiftResult: "lifted",
    Overview: "overview",
    Doctor: "doctor",
    Finding: "finding",
    Config: "config",
    Setting: "setting",
    Contexts: "contexts",
    Context: "context",
    Versions: "version",
    Failure: "error",
}
"""A plural is printed by ``-o json``, its rows one by one by ``-o jsonl``."""


def name(model: type[BaseModel]) -> str:
    """The value of ``schema``."""
    return f"orderctl.{KINDS[model]}/{VERSION}"


def document(body: BaseModel) -> dict[str, Any]:
    return {"schema": name(type(body)), **body.model_dump(mode="json")}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind. Raises KeyError where there is no such kind."""
    model = {kind: model for model, kind in KINDS.items()}[kind]
    body = model.model_json_schema(mode="serialization")
    body["properties"] = {"schema": {"const": name(model)}, **body["properties"]}
    body["required"] = ["schema", *body.get("required", ())]
    return {"$schema": DIALECT, **body}
