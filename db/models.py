"""The tables as Peewee models. Amounts are base units; all times are UTC with a zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    Field,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
    UUIDField,
)
from playhouse.fields import EnumField
from playhouse.postgres_ext import ArrayField, BinaryJSONField, DateTimeTZField

from db.connection import database
from orderd.domain.order import (
    ACTIVE,
    HELD,
    LEASED,
    RESTING,
    TERMINAL,
    WAITING,
    CatchUp,
    Floor,
    OrderKind,
    OrderStatus,
    TimeInForce,
)
from orderd.domain.price import canonical

DEFAULT_ACCOUNT = UUID("00000000-0000-7000-8000-000000000001")
"""The account of a daemon that needs no API key; made by the first migration."""


def listed(statuses: Iterable[OrderStatus]) -> str:
    """States for an SQL statement, as in ``status IN (...)``."""
    return ", ".join(f"'{status}'" for status in sorted(statuses))


def in_states(statuses: Iterable[OrderStatus]) -> str:
    """The condition that an order is in one of these states, in terms of indexed columns, none of which is ``status``.

    Waiting orders have a due time, resting ones a time from which they are checked, and ``ended_as`` is the status of
    orders that have ended. Of the others, a held order says what it waits for, and one that a worker holds waits for
    nothing.
    """
    wanted = frozenset(statuses)
    if wanted == ACTIVE:
        return "ended_as IS NULL"
    others = "ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL"
    found_by = {
        f"due_at IS NOT NULL AND status IN ({listed(wanted & WAITING)})": wanted & WAITING,
        f"looks_from IS NOT NULL AND status IN ({listed(wanted & RESTING)})": wanted & RESTING,
        f"{others} AND waits_for IS NULL AND status IN ({listed(wanted & LEASED)})": wanted & LEASED,
        f"{others} AND waits_for IS NOT NULL AND status IN ({listed(wanted & HELD)})": wanted & HELD,
        f"ended_as IN ({listed(wanted & TERMINAL)})": wanted & TERMINAL,
    }
    return f"({' OR '.join(words for words, some in found_by.items() if some)})"


class _BaseUnitsField(Field):
    """A u64: numeric(20) in Postgres, int in Python."""

    field_type = "NUMERIC(20)"

    def python_value(self, value: Decimal | None) -> int | None:
        return None if value is None else int(value)


class _PriceField(Field):
    """A numeric in Postgres, a canonical decimal string in Python."""

    field_type = "NUMERIC"

    def python_value(self, value: Decimal | None) -> str | None:
        return None if value is None else canonical(value)


def price() -> Any:  # noqa: ANN401  (a Field[str | None])
    return _PriceField(null=True)


def base_units(*, null: bool = False) -> Any:  # noqa: ANN401  (a Field[int] or a Field[int | None])
    return _BaseUnitsField(null=null)


IS_FAMILY: Final = f"(kind IN ('{OrderKind.OCO}', '{OrderKind.TWAP}') OR partial)"
"""The condition that an order is executed by child orders, like ``OrderTerms.is_family``."""


class Table(Model):
    class Meta:
        database = database
        legacy_table_names = False


class Account(Table):
    id = UUIDField(primary_key=True)
    name = TextField()
    created_at: Field[datetime] = DateTimeTZField()

    class Meta:
        table_name = "accounts"


class ApiKey(Table):
    """An API key, stored as its SHA-256 only. Expired and revoked keys stay for the record.

    A limit that is NULL does not exist. Notionals are base units of USDC.
    """

    id = UUIDField(primary_key=True)
    account_id = UUIDField()
    name = TextField()
    hash = BlobField()
    scopes: Field[list[str]] = ArrayField(TextField, index=False)
    created_at: Field[datetime] = DateTimeTZField()
    expires_at: Field[datetime | None] = DateTimeTZField(null=True)
    revoked_at: Field[datetime | None] = DateTimeTZField(null=True)
    last_used_at: Field[datetime | None] = DateTimeTZField(null=True)
    requests_per_minute = IntegerField(null=True)
    burst = IntegerField(null=True)
    allowed_mints: Field[list[str] | None] = ArrayField(TextField, index=False, null=True)
    max_notional_per_order: Field[int | None] = base_units(null=True)
    max_notional_per_day: Field[int | None] = base_units(null=True)

    class Meta:
        table_name = "api_tokens"


class Order(Table):
    """An order as it stands after event ``seq``. Written only through ``db.journal``.

    ``version`` is the fencing token: a claim raises it, and the claim's holder must name it when it writes. ``venue``
    and ``pool`` are those of the largest leg; ``route`` has all legs if there are several. ``min_out`` is the minimum
    that the trader set; ``min_amount_out`` is the floor, what the current route has to pay: never below
    ``min_out``, and with ``floor`` "first" the same from the first route on. An order that buys ``exact_out`` has no
    ``amount_in``; ``max_in`` is its maximum cost, and ``max_amount_in`` the ceiling, the counterpart of the floor.
    ``starts`` counts the turns that workers began, ``losses`` those whose workers were lost before anything was signed,
    ``failures`` the attempts that have failed for certain, ``uncounted`` those of them that do not count against the
    order. ``waits_for`` is the reason of its last deferral, until something else happens to it: the code of an error,
    if it waits until that is over. ``looks_from`` is the time from which a resting order is compared with the market,
    and NULL for any other; ``best_out`` is the most that it has paid for a trailing stop so far. ``triggered_at`` is
    when the condition was last met. ``parent_id`` is the order whose execution, or part of it, this one is.
    ``entry_id`` is the order that buys what this one sells: until it is filled, this one is held and has no amount.
    ``exit_made``: no further order follows it. ``cancel_requested``: the order is signed and must not be tried again.
    ``first_terms`` are the submitted terms of an order that was amended, or bound by a limit of money.
    ``unknown_since``: since when the outcome of the signed transaction is unknown. ``token_id`` is the key that
    submitted the order. ``memo_tag`` is in the memo of each of its transactions, see ``db.installation``; orders that
    had ended before there were tags have none.
    """

    id = UUIDField(primary_key=True)
    account_id = UUIDField()
    client_order_id = TextField()
    kind: Field[OrderKind] = EnumField(OrderKind)
    token_in = TextField()
    token_out = TextField()
    mint_in = TextField()
    mint_out = TextField()
    decimals_in = SmallIntegerField()
    decimals_out = SmallIntegerField()
    amount_in: Field[int | None] = base_units(null=True)
    slippage_bps = IntegerField()
    min_out: Field[int | None] = base_units(null=True)
    max_cost_bps: Field[int | None] = IntegerField(null=True)
    floor: Field[Floor | None] = EnumField(Floor, null=True)
    slippage_widens = BooleanField()
    use_wrapped = BooleanField()
    exact_out: Field[int | None] = base_units(null=True)
    max_in: Field[int | None] = base_units(null=True)
    limit_price: Field[str | None] = price()
    stop_price: Field[str | None] = price()
    take_profit_price: Field[str | None] = price()
    trail = TextField(null=True)
    max_slippage_bps: Field[int | None] = IntegerField(null=True)
    amount_word: Field[str | None] = TextField(null=True)
    min_liquidity: Field[int | None] = base_units(null=True)
    max_pool_fee_bps: Field[int | None] = IntegerField(null=True)
    max_round_trip_loss_bps: Field[int | None] = IntegerField(null=True)
    max_holder_bps: Field[int | None] = IntegerField(null=True)
    allowed_traits: Field[str | None] = TextField(null=True)
    confirm: Field[int | None] = IntegerField(null=True)
    confirm_seconds: Field[int | None] = IntegerField(null=True)
    time_in_force: Field[TimeInForce | None] = EnumField(TimeInForce, null=True)
    partial = BooleanField()
    min_fill_bps: Field[int | None] = IntegerField(null=True)
    slices: Field[int | None] = IntegerField(null=True)
    every_seconds: Field[int | None] = IntegerField(null=True)
    jitter_bps: Field[int | None] = IntegerField(null=True)
    catch_up: Field[CatchUp | None] = EnumField(CatchUp, null=True)
    then_take_profit_price: Field[str | None] = price()
    then_stop_price: Field[str | None] = price()
    valid_seconds: Field[int | None] = IntegerField(null=True)
    expires_at: Field[datetime | None] = DateTimeTZField(null=True)
    parent_id: Field[UUID | None] = UUIDField(null=True)
    entry_id: Field[UUID | None] = UUIDField(null=True)
    cancel_requested = BooleanField()
    slice_no = IntegerField()
    paused = BooleanField()
    exit_made = BooleanField()
    memo_tag: Field[bytes | None] = BlobField(null=True)
    first_terms: Field[dict[str, Any] | None] = BinaryJSONField(index=False, null=True)

    token_id: Field[UUID | None] = UUIDField(null=True)
    status: Field[OrderStatus] = EnumField(OrderStatus)
    seq = IntegerField()
    version = IntegerField()
    starts = IntegerField()
    losses = IntegerField()
    failures = IntegerField()
    uncounted = IntegerField()
    due_at: Field[datetime | None] = DateTimeTZField(null=True)
    looks_from: Field[datetime | None] = DateTimeTZField(null=True)
    best_out: Field[int | None] = base_units(null=True)
    triggered_at: Field[datetime | None] = DateTimeTZField(null=True)
    valid_until: Field[datetime | None] = DateTimeTZField(null=True)
    waits_for = TextField(null=True)
    waits_since: Field[datetime | None] = DateTimeTZField(null=True)
    lease_owner = TextField(null=True)
    lease_until: Field[datetime | None] = DateTimeTZField(null=True)

    venue = TextField(null=True)
    pool = TextField(null=True)
    route: Field[list[dict[str, Any]] | None] = BinaryJSONField(index=False, null=True)
    quoted_amount_out: Field[int | None] = base_units(null=True)
    min_amount_out: Field[int | None] = base_units(null=True)
    quoted_amount_in: Field[int | None] = base_units(null=True)
    max_amount_in: Field[int | None] = base_units(null=True)
    signature = TextField(null=True)
    filled_in: Field[int | None] = base_units(null=True)
    filled_out: Field[int | None] = base_units(null=True)
    network_fee = BigIntegerField(null=True)
    error_code = TextField(null=True)
    error_detail = TextField(null=True)
    unknown_since: Field[datetime | None] = DateTimeTZField(null=True)
    created_at: Field[datetime] = DateTimeTZField()
    updated_at: Field[datetime] = DateTimeTZField()

    @property
    def amount(self) -> int:
        """The amount that is given; of a resting order, and of one that is executed in parts, it is what the order
        sells."""
        given = self.amount_in if self.exact_out is None else self.exact_out
        assert given is not None, "one of the two is given"
        return given

    class Meta:
        table_name = "orders"


class Attempt(Table):
    """One signed transaction. ``signed_bytes`` are what is sent, as often as needed; ``outcome`` is the chain's.

    Once it has ended for good, the bytes may be removed. ``blockhash_slot`` is the context slot of its blockhash.
    ``awaits_finality``: it landed in a block that may still be rolled back. ``pool_fee`` and ``mid`` are for its fill.
    """

    id = UUIDField(primary_key=True)
    order_id = UUIDField()
    number = IntegerField()
    signature = TextField()
    signed_bytes = BlobField(null=True)
    last_valid_block_height = BigIntegerField()
    venue = TextField()
    pool = TextField()
    min_amount_out: Field[int] = base_units()
    max_amount_in: Field[int | None] = base_units(null=True)
    outcome = TextField()
    sends = IntegerField()
    slot = BigIntegerField(null=True)
    signed_at: Field[datetime] = DateTimeTZField()
    settled_at: Field[datetime | None] = DateTimeTZField(null=True)
    blockhash_slot = BigIntegerField(null=True)
    awaits_finality = BooleanField()
    pool_fee: Field[int | None] = base_units(null=True)
    mid: Field[str | None] = price()

    class Meta:
        table_name = "attempts"


class Fill(Table):
    """What a transaction has traded; one whose block was rolled back has ``rolled_back_at`` and does not count.

    At most one fill of an order counts. Fee and rent in lamports. ``pool_fee`` (base units of the token sold) and
    ``mid`` (token_out for one token_in, see ``orderd.domain.mid``) belong to the decision for the route, where known.
    """

    order_id = UUIDField()
    attempt = IntegerField()
    signature = TextField()
    slot: Field[int | None] = BigIntegerField(null=True)
    at: Field[datetime] = DateTimeTZField()
    amount_in: Field[int] = base_units()
    amount_out: Field[int] = base_units()
    network_fee = BigIntegerField()
    rent: Field[int | None] = BigIntegerField(null=True)
    pool_fee: Field[int | None] = base_units(null=True)
    mid: Field[str | None] = price()
    rolled_back_at: Field[datetime | None] = DateTimeTZField(null=True)

    class Meta:
        table_name = "fills"
        primary_key = False


class OrderEventRow(Table):
    order_id = UUIDField()
    seq = IntegerField()
    at: Field[datetime] = DateTimeTZField()
    status: Field[OrderStatus] = EnumField(OrderStatus)
    kind = TextField()
    data: Field[dict[str, Any]] = BinaryJSONField(index=False)

    class Meta:
        table_name = "order_events"
        primary_key = CompositeKey("order_id", "seq")


class OrderFailure(Table):
    id = BigIntegerField(primary_key=True)
    order_id = UUIDField()
    attempt = IntegerField()
    code = TextField()
    detail = TextField()
    signature = TextField(null=True)
    logs: Field[list[str]] = ArrayField(TextField, index=False)
    at: Field[datetime] = DateTimeTZField()

    class Meta:
        table_name = "order_failures"


class AuditRow(Table):
    """One deed, or one refusal; Postgres refuses to change or delete rows. Read and written through ``db.audit``."""

    id = BigIntegerField(primary_key=True)
    at: Field[datetime] = DateTimeTZField()
    actor = TextField()
    token_id: Field[UUID | None] = UUIDField(null=True)
    address = TextField()
    action = TextField()
    outcome = TextField()
    order_id: Field[UUID | None] = UUIDField(null=True)
    detail = TextField()
    times = IntegerField()

    class Meta:
        table_name = "audit"
