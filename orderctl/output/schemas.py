"""The JSON documents that orderctl prints. Each has a member ``schema`` with its kind and version.

Amounts are decimal strings in whole tokens, times are ISO-8601 UTC. Within a version, members may be added, but none is
renamed or removed or changes its meaning. ``orderctl schema KIND`` prints the JSON Schema of a kind.
"""

from typing import Any, Final

from pydantic import BaseModel

from orderctl.output.depth import Depth, Level
from orderctl.output.documents import (
    Config,
    Context,
    Contexts,
    Doctor,
    Document,
    Failure,
    Finding,
    Setting,
    Versions,
)
from orderctl.output.events import Events
from orderctl.output.overview import Overview
from orderd.domain.events import OrderEvent
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.fills import HistoryFill, HistoryResult
from orderd.wire.halts import HaltResult, LiftResult
from orderd.wire.order_detail import EvidenceResult, OrderDetail
from orderd.wire.orders import ListResult, OrderView
from orderd.wire.pools import PoolsResult, PoolView
from orderd.wire.prices import PriceCandle, PricesResult
from orderd.wire.profit import Holding, PnlDay, PnlResult, PortfolioResult
from orderd.wire.quotes import QuoteResult, SimulatedFill
from orderd.wire.status import StatusResult
from orderd.wire.submissions import SubmitResult
from orderd.wire.tokens import TokenFound, TokensFound, TokensResult, TokensUnnameResult, TokenView

VERSION: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Submissions(Document):
    """The accepted orders of a file."""

    submissions: tuple[SubmitResult, ...]


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
    Depth: "depth",
    Level: "depth_level",
    SimulatedFill: "preview",
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
"""The names of the kinds. ``-o json`` prints a plural kind, and ``-o jsonl`` its rows."""


def name(model: type[BaseModel]) -> str:
    """The value of ``schema``."""
    return f"orderctl.{KINDS[model]}/{VERSION}"


def document(body: BaseModel) -> dict[str, Any]:
    return {"schema": name(type(body)), **body.model_dump(mode="json")}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind. Raises KeyError if there is no such kind."""
    model = {kind: model for model, kind in KINDS.items()}[kind]
    body = model.model_json_schema(mode="serialization")
    body["properties"] = {"schema": {"const": name(model)}, **body["properties"]}
    body["required"] = ["schema", *body.get("required", ())]
    return {"$schema": DIALECT, **body}
