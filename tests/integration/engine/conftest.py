"""An engine on a real Postgres and Redis, with the chain's answers scripted by the test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import redis
from solders.signature import Signature

from db.connection import database
from orderd.engine.publish import Publisher
from orderd.solana.expiry import Sighting, Validity
from orderd.solana.observer import PaidTransaction, Sent
from orderd.solana.rpc import Commitment, RpcError, RpcWrongChainError
from orderd.solana.rpc_types import EpochInfo, SignatureStatus, TokenBalance, TransactionInfo

WALLET = "wallet"


def signature(number: int) -> str:
    """A valid signature in base58 that differs per ``number``."""
    return str(Signature.from_bytes(number.to_bytes(64, "big")))


@dataclass
class ScriptedChain:
    """Stands in for ``Observer`` and ``Sender``: answers as the test says, and records what it was sent.

    ``paid`` are transactions that the wallet has paid for, by the orders that their memos name.
    """

    block_height: int = 100
    is_current: bool = True
    is_witnessed: bool = True
    history_from: int | None = None
    statuses: dict[str, SignatureStatus] = field(default_factory=dict)
    transactions: dict[str, TransactionInfo] = field(default_factory=dict)
    paid: dict[UUID, str] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    glances: list[list[str]] = field(default_factory=list)
    observations: int = 0
    outage: RpcError | None = None
    overloaded: RpcError | None = None
    unreadable: RpcError | None = None
    unsearchable: RpcError | None = None
    is_other_chain: bool = False
    final_at: Commitment = "confirmed"

    def finalized(self) -> EpochInfo:
        if self.outage:
            raise self.outage
        return EpochInfo(self.block_height + 1, self.block_height, 0)

    def observe(self, attempts: Mapping[Signature, Validity], finalized: EpochInfo) -> dict[Signature, Sighting]:
        self.observations += bool(attempts)
        slot = self.block_height + self.is_current
        return {
            each: Sighting(
                self.statuses.get(str(each)), slot, finalized, self.is_witnessed, self.history_from, self.final_at
            )
            for each in attempts
        }

    def observe_hinted(
        self, signatures: Sequence[Signature]
    ) -> dict[Signature, tuple[Sighting, TransactionInfo | RpcError | None]]:
        if self.overloaded:
            raise self.overloaded
        self.glances.append(list(map(str, signatures)))
        epoch = EpochInfo(self.block_height + 1, self.block_height, 0)
        sightings = [
            Sighting(self.statuses.get(str(each)), self.block_height, epoch, final_at=self.final_at)
            for each in signatures
        ]
        return dict(zip(signatures, zip(sightings, self.fetch(signatures), strict=True), strict=True))

    def fetch(self, signatures: Sequence[Signature]) -> list[TransactionInfo | RpcError | None]:
        return [self.unreadable or self.transactions.get(str(each)) for each in signatures]

    def paid_for(
        self, orders: Mapping[UUID, Sent], finalized: EpochInfo
    ) -> dict[UUID, PaidTransaction | RpcError | None]:
        paid: dict[UUID, PaidTransaction | RpcError | None] = dict.fromkeys(orders, self.unsearchable)
        for order in orders.keys() & self.paid.keys() if self.unsearchable is None else ():
            found = self.paid[order]
            paid[order] = PaidTransaction(Signature.from_string(found), self.transactions[found])
        return paid

    def confirm_chain(self) -> None:
        if self.is_other_chain:
            raise RpcWrongChainError("the RPC endpoint leads to devnet")

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        self.sent += signed
        return [self.outage] * len(signed)

    def land(self, signature: str, *, err: str | None = None, bought: int = 152_400_000) -> None:
        """Record the transaction as landed; without an error it sells 1.5 SOL for ``bought`` base units of USDC."""
        from orderd.domain.tokens import USDC_MINT, WSOL_MINT

        self.statuses[signature] = SignatureStatus(slot=9, err=err, confirmation_status="confirmed")
        self.transactions[signature] = TransactionInfo(
            slot=9,
            block_time=None,
            err=err,
            fee=5_000,
            logs=("log",),
            lamports={},
            tokens=(
                TokenBalance("vault", WSOL_MINT, "pool", 0, 1_500_000_000),
                TokenBalance("purse", USDC_MINT, WALLET, 7, 7 + bought),
                TokenBalance("vault", USDC_MINT, "pool", 10**12, 10**12 - bought),
            ),
        )


@dataclass
class Queue:
    """Stands in for the broker; ``outage`` makes it refuse, and ``others`` is the number of messages already queued.

    ``looking`` are those of ``sent`` that first check whether they can continue.
    """

    sent: list[UUID] = field(default_factory=list)
    looking: list[UUID] = field(default_factory=list)
    others: int = 0
    outage: Exception | None = None

    def send(self, order_ids: Sequence[UUID], *, check_first: bool = False, after: object = None) -> None:
        if self.outage:
            raise self.outage
        self.sent += order_ids
        self.looking += order_ids if check_first else []

    def depth(self) -> int:
        return self.others


@pytest.fixture
def redis_client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def publisher(redis_client: "redis.Redis") -> Iterator[Publisher]:
    publisher = Publisher(redis_client)
    yield publisher
    publisher.close(5)


@pytest.fixture
def chain() -> ScriptedChain:
    return ScriptedChain()


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture(autouse=True)
def connection(connected: str) -> Iterator[None]:
    """A connection for the test's own queries; the engine nests its own uses of it."""
    database.connect()
    yield
    database.close()
