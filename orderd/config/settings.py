"""The settings, and their sources: flag > environment (``ORDERD_*``) > ``orderd.toml`` > default."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from platformdirs import user_state_path
from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from orderd.config.values import (
    MAX_NUMBER,
    Account,
    AnsweredName,
    DatabaseUrl,
    Host,
    JsonObject,
    KeptDays,
    Listed,
    Network,
    Notional,
    Origin,
    Percent,
    RedisUrl,
    RpcUrl,
    RpcWebsocketUrl,
    Seconds,
    Text,
    UserPath,
)
from orderd.domain.host import is_loopback
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.text import text_of
from orderd.simnet.config import MAX_SPREAD_BPS, PROFILES, Profile
from orderd.solana.pool_programs import LOCAL_CHAINS, Chain, program_of

CONFIG_VARIABLE: Final = "ORDERD_CONFIG"
FIRST_ORDERS_USDC: Final = "100"
"""Maximum value of an order on mainnet until the operator sets a limit."""


def config_file() -> Path:
    """The file of settings. An empty variable is an unset one."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "orderd.toml").expanduser()


class _TomlFile(TomlConfigSettingsSource):
    """pydantic-settings' TOML source, for files in UTF-8 or the encoding of their byte order mark."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:  # noqa: ANN401  (a path, or a path-like object)
        return tomllib.loads(text_of(file_path.read_bytes()))


class Settings(BaseSettings):
    """The daemon's configuration. Without a URL, orderd uses an embedded Postgres, Redis or simnet."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERD_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    state_dir: UserPath = Field(default_factory=lambda: user_state_path("orderd"))
    """Directory for the data of the embedded services, and for the wallet unless ``wallet`` names another file."""

    # The port

    host: Host = "127.0.0.1"
    """Address to listen on. On any address but loopback every client needs an API key, and the port needs TLS."""
    port: int = Field(3000, ge=0, le=65535)
    """Port for websocket and HTTP; 0 takes a free one."""
    allowed_hosts: Annotated[tuple[AnsweredName, ...], NoDecode, Listed] = ()
    """Further host names under which clients reach the port; a request that names another host is refused."""
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = ()
    """Origins of web pages that may use the port, such as https://desk.example; if empty, only the port's own."""
    tls_cert: UserPath | None = None
    """The port's certificate with its chain, as a PEM file. A renewed file is used from the next connection on."""
    tls_key: UserPath | None = None
    """The certificate's private key, as a PEM file without a password."""
    tls_terminated_by_proxy: bool = False
    """Set to true when a proxy terminates TLS in front of this port: it then listens to other machines without TLS, and
    every client needs an API key."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Listed] = ()
    """Addresses or networks of the proxies whose X-Forwarded-For header is trusted."""
    max_connections: int = Field(10_000, ge=0, le=MAX_NUMBER)
    """Maximum number of connections at one time, including those that have sent nothing yet; 0 means no limit."""
    max_connections_per_address: int = Field(1_000, ge=0, le=MAX_NUMBER)
    """Maximum number of connections from one address, or one IPv6 network of 64 bits; 0 means no limit."""

    # Services

    database_url: DatabaseUrl | None = None
    """Address of Postgres: postgresql://USER:PASSWORD@HOST/DATABASE. If empty, ``orderd run`` starts one."""
    redis_url: RedisUrl | None = None
    """Address of Redis: redis://HOST:6379/0. Its maxmemory-policy must be noeviction. If empty, ``orderd run``
    starts one."""
    rpc_url: RpcUrl | None = None
    """The chain's JSON-RPC endpoint. Required except on simnet, where ``orderd run`` starts one."""
    rpc_ws_url: RpcWebsocketUrl | None = None
    """The chain's websocket endpoint. Without it, pools are read at intervals instead of when they change."""
    rpc_single_node: bool | None = None
    """Whether the endpoint is a single node, not several nodes behind one address. If empty, true on simnet and on
    localnet."""
    commitment: Literal["confirmed", "finalized"] | None = None
    """The commitment at which the chain is read and an order counts as filled. If empty, it is measured: ``finalized``
    if a block is final at most four slots after its confirmation, as on mainnet in 2026, otherwise ``confirmed``."""
    chain: Chain = "simnet"
    """The chain to trade on: simnet, localnet (any local validator), devnet or mainnet."""

    # The wallet

    wallet: UserPath | None = None
    """Keypair file in the Solana CLI's format, with mode 0600. If empty, wallet.json in the state directory."""
    shared_wallet: bool = False
    """Whether another installation of orderd may sign with the wallet. If false, this one stops signing when it sees
    that."""
    wallet_address: Account | None = None
    """The wallet's address. A gateway that has it needs no access to the key, which only workers load."""

    # Dialects

    dialect_wallet: Literal["label", "own"] | None = None
    """Wallets that an order in the dialect of another engine may name: own, only this wallet; label, any address,
    which is stored with the order and has no effect. If empty, label on simnet and own elsewhere."""

    # Work, and limits of what is traded

    worker_threads: int = Field(10, ge=1, le=200)
    """Number of messages, of up to 64 orders each, that a worker process works on at one time."""
    rate_limit: int = Field(100, ge=0, le=MAX_NUMBER)
    """Maximum number of orders started per window, over the whole cluster; 0 disables the rate limit."""
    rate_window_seconds: int = Field(60, ge=1, le=MAX_NUMBER)
    """Length of the rate limit's sliding window."""
    max_open_per_key: int = Field(1_000, ge=0, le=MAX_NUMBER)
    """Maximum number of open orders per API key; 0 means no limit."""
    allow_overcommit: bool = True
    """Whether a market order is accepted although other orders have reserved the balance that it sells. If false,
    market orders reserve their amount from their acceptance on, as orders that wait for a price always do."""
    max_notional_per_order: Notional | None = None
    """Maximum value of one order in USDC, whatever its API key's limits are. If empty: on mainnet 100, elsewhere no
    limit."""
    max_notional_per_day: Notional | None = None
    """Maximum value in USDC of all orders of one day in UTC together; an order that ends without a fill does not
    count. If empty, there is no limit."""
    traded_tokens: Annotated[tuple[Text, ...], NoDecode, Listed] = ()
    """Tokens that orders may trade, by symbol or mint address. If empty, all known tokens."""
    max_in_flight: int = Field(0, ge=0, le=MAX_NUMBER)
    """Maximum number of submitted orders at one time per worker process; 0 means no limit."""

    # Routes, and the pools in them

    default_slippage: Percent = "0.5"
    """Slippage of orders that name none, in percent."""
    max_price_impact_bps: int = Field(500, ge=0, le=10_000)
    """Maximum price impact of a route, in basis points; an order beyond it is refused."""
    max_total_cost_bps: int = Field(1_000, ge=0, le=10_000)
    """Maximum pool fees and price impact of a route together, in basis points; an order beyond it is refused."""
    max_price_deviation_bps: int = Field(500, ge=0, le=10_000)
    """Maximum fall of a price below the last one while a known pool does not answer, in basis points."""
    intermediate_tokens: Annotated[tuple[Text, ...], NoDecode, Listed] = ("SOL", "USDC")
    """Tokens through which an order may be routed in two hops, if that pays more than a direct route; built-in symbols
    only."""
    watch_pairs: Annotated[tuple[Text, ...], NoDecode, Listed] = ()
    """Pairs, such as `SOL/USDC`, whose prices are always recorded: their pools are read when they change, and every 5
    seconds. Prices of other pairs are recorded while orders, quotes or resting orders read their pools."""
    token_list: Text | None = None
    """A file or URL of a token list, for symbols: in Jupiter's shape or the older token-list shape."""
    max_slot_lag: int = Field(20, ge=0, le=MAX_NUMBER)
    """Pools whose state is more than this number of slots older than the newest are excluded from a route."""
    venue_timeout_ms: int = Field(1_500, ge=1, le=MAX_NUMBER)
    """Time after which a venue that does not answer is excluded from a route."""
    pool_max_age_ms: int | None = Field(None, ge=0, le=MAX_NUMBER)
    """Maximum age of the pool state from which a quote is made. If empty, one slot of the chain, as its node measures
    it when the process starts."""
    pool_kinds: Annotated[tuple[PoolKind, ...], NoDecode, Listed] = ()
    """Pool kinds to trade in. If empty, all that are on the chain."""
    require_proof: bool | None = None
    """Whether pools are traded only while a proof by ``orderd prove`` covers their deployed program. If empty, true
    on devnet and mainnet."""
    raydium_pools: Annotated[tuple[Account, ...], NoDecode, Listed] = ()
    """Addresses of the Raydium pools to use. If empty, pools are discovered on the chain."""
    meteora_pools: Annotated[tuple[Account, ...], NoDecode, Listed] = ()
    """Addresses of the Meteora pools to use. If empty, pools are discovered on the chain."""

    # Transactions

    lookup_tables: Annotated[tuple[Account, ...], NoDecode, Listed] = ()
    """Addresses of lookup tables that hold accounts of pools: a transaction of version 0 then has room for a split over
    more pools. If empty, transactions use none."""
    transaction_version: Literal["auto", "0", "1"] = "auto"
    """Version of the transactions that are signed: 0 (1,232 bytes, with lookup tables) or 1 (4,096 bytes, without). If
    ``auto``, 1 if a simulation, repeated each minute, shows that the endpoint accepts it, otherwise 0."""

    compute_unit_price: int = Field(10_000, ge=0, le=MAX_NUMBER)
    """Minimum priority fee, in micro-lamports per compute unit."""
    max_compute_unit_price: int = Field(1_000_000, ge=0, le=MAX_NUMBER)
    """Maximum priority fee, in micro-lamports per compute unit."""
    priority_fee_percentile: int = Field(75, ge=1, le=100)
    """Percentile of the priority fees that recent slots took for the same pools; bounded by the two settings above."""

    # Attempts and their outcome

    max_attempts: int = Field(3, ge=1, le=10)
    """Number of failed attempts after which an order fails. Waiting is not an attempt."""
    retry_base_ms: int = Field(1_000, ge=1, le=MAX_NUMBER)
    """Delay before the second attempt; it doubles with each further attempt."""
    order_ttl_seconds: int = Field(600, ge=1, le=MAX_NUMBER)
    """Validity of a market order that cannot be executed; then it is expired. Time in line for the rate limit is
    added."""
    lease_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    """Time without renewal after which a worker loses its orders, unless its death is known earlier."""
    settle_interval_ms: int = Field(200, ge=10, le=MAX_NUMBER)
    """Interval at which a worker queries the statuses of its sent transactions."""
    resend_interval_ms: int | None = Field(None, ge=50, le=MAX_NUMBER)
    """Interval at which a worker sends the same transaction again until it lands or expires. If empty, two and a half
    slots of the chain."""
    unknown_after_seconds: Annotated[Seconds, Field(gt=0)] = 300.0
    """An order whose transaction has neither landed nor provably expired for this long is shown as unknown."""

    # Processes

    worker_metrics_port: int | None = Field(None, ge=0, le=65535)
    """Port at which a worker serves its metrics. 0 takes a free port on 127.0.0.1, and a gateway with the same state
    directory then includes the worker's metrics in its own. If empty, 0 under ``orderd run``, and none otherwise."""
    worker_metrics_host: Host = "127.0.0.1"
    """Address at which a worker serves its metrics, without an API key and without TLS."""
    dispatch_interval_ms: int = Field(250, ge=10, le=MAX_NUMBER)
    """Interval at which a worker looks for orders that are due."""
    drain_seconds: Seconds = 10.0
    """Time that work in progress is given to finish when the daemon stops."""

    # Records

    reconcile_minutes: int = Field(10, ge=0, le=MAX_NUMBER)
    """Interval at which the wallet's transactions are read for history and profit: deposits, withdrawals, and trades
    that others made. 0: only ``orderd reconcile`` reads them."""

    keep_events_days: KeptDays = None
    """Days after an order's end until its events are removed; if empty, they are always kept."""
    keep_failures_days: KeptDays = None
    """Days until the codes, reasons and logs of failed attempts are removed; if empty, they are always kept."""
    keep_signed_bytes_days: KeptDays = None
    """Days until the bytes of transactions with a final outcome are removed; if empty, they are always kept."""
    keep_notionals_days: KeptDays = None
    """Days until the value of orders under an allowance is removed; an allowance needs one day. If empty, never."""

    # Alerts

    alerts: UserPath | None = None
    """A TOML file with the receivers of alerts about fills, failures and conditions; see docs/alarms.md. If empty, no
    alerts are sent."""
    keep_alerts_days: int = Field(7, ge=1, le=MAX_NUMBER)
    """Days until an alert is removed; a receiver that has not confirmed it by then never gets it."""

    # The local chain

    simnet_host: Host = "127.0.0.1"
    """Address that the local chain listens on."""
    simnet_port: int = Field(0, ge=0, le=65534)
    """The local chain's port for HTTP; its websocket uses the next one. 0 takes two free ones."""
    simnet_profile: Literal["2025", "2026"] = "2025"
    """The year whose mainnet simnet imitates: slots of 400 ms, final after 32 more (2025), or slots of 200 ms, final
    after one more, and transactions of version 1 (2026)."""
    simnet_slot_ms: int | None = Field(None, ge=5, le=MAX_NUMBER)
    """Length of the local chain's slots. If empty, as the profile has it."""
    simnet_seed: int = 1
    """Seed of the local chain's market and faults."""
    simnet_market: bool = True
    """Whether the local chain has a market that trades and moves prices."""
    simnet_keep_days: KeptDays = None
    """Days until the local chain forgets what its transactions contained, never that they landed; if empty, never."""
    simnet_success_rate: float = Field(1.0, ge=0, le=1)
    """Share of the local chain's swaps that land without an error; the others fail as if the price had moved."""
    simnet_confirm_ms: int = Field(0, ge=0, le=MAX_NUMBER)
    """Time until a block of the local chain is confirmed, at most 75 slots; 0 confirms it when it is written."""
    simnet_raydium_latency_ms: int = Field(0, ge=0, le=MAX_NUMBER)
    """Additional latency of the local chain's answers about Raydium's pools."""
    simnet_meteora_latency_ms: int = Field(0, ge=0, le=MAX_NUMBER)
    """Additional latency of the local chain's answers about Meteora's pools."""
    simnet_raydium_spread_bps: int = Field(0, ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)
    """Basis points by which SOL is more expensive in the local chain's Raydium pools than elsewhere; cheaper below
    0."""
    simnet_meteora_spread_bps: int = Field(0, ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)
    """Basis points by which SOL is more expensive in the local chain's Meteora pools than elsewhere; cheaper below
    0."""
    simnet_programs: UserPath | None = None
    """A directory of program binaries, each named PROGRAM.so, that simnet runs instead of its own handlers."""
    simnet_faults: JsonObject = Field(default_factory=dict)
    """Faults of the local chain as JSON, such as {"dropped_sends": 0.1}; docs/simnet.md lists them all."""

    # The log

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged: debug, info, warning or error."""
    log_format: Literal["json", "console"] = "json"
    """Format of log lines: json, or console for a person to read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (no .env: systemd and compose load theirs)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, file_secret_settings, _TomlFile(settings_cls, config_file())

    # What follows from several settings

    @property
    def most_per_order(self) -> str | None:
        """The maximum worth per order, with the default for mainnet: the first orders there are small."""
        return self.max_notional_per_order or (FIRST_ORDERS_USDC if self.chain == "mainnet" else None)

    @property
    def traded_kinds(self) -> tuple[PoolKind, ...]:
        """The pool kinds to trade: the configured ones that exist on the chain."""
        return self.pool_kinds or tuple(kind for kind in PoolKind if self.chain in program_of(kind).ids)

    @property
    def pool_addresses(self) -> dict[VenueName, tuple[Account, ...]]:
        """The pools to use per venue; none where pools are discovered."""
        return {venue: getattr(self, f"{venue}_pools") for venue in VenueName}

    @property
    def needs_proof(self) -> bool:
        """Whether a pool kind is traded only while its program is proved."""
        return not self.is_local_chain if self.require_proof is None else self.require_proof

    @property
    def is_local_chain(self) -> bool:
        """Whether no money is at stake."""
        return self.chain in LOCAL_CHAINS

    @property
    def keeps_wallet_labels(self) -> bool:
        """Whether an order in the format of another engine may name any wallet."""
        return (self.dialect_wallet or ("label" if self.chain == "simnet" else "own")) == "label"

    @property
    def is_one_node(self) -> bool:
        """Whether no two answers of the chain's endpoint are of two nodes."""
        if self.rpc_single_node is not None:
            return self.rpc_single_node
        if self.chain != "simnet":
            return self.is_local_chain
        faults = self.simnet_faults
        return faults.get("nodes", "one") == "one" and not faults.get("fork_rate")

    @property
    def simnet_venue_latency_ms(self) -> dict[VenueName, int]:
        """Of the venues that have one."""
        all_venues = {venue: int(getattr(self, f"simnet_{venue}_latency_ms")) for venue in VenueName}
        return {venue: latency for venue, latency in all_venues.items() if latency}

    @property
    def local_profile(self) -> Profile:
        """The local chain's slots, finality and versions of transactions, by the year of its profile."""
        return PROFILES[self.simnet_profile]

    @property
    def local_slot_ms(self) -> int:
        """The length of the local chain's slots."""
        return self.local_profile.slot_ms if self.simnet_slot_ms is None else self.simnet_slot_ms

    @property
    def simnet_spread_bps(self) -> dict[VenueName, int]:
        """Of the venues that have one."""
        all_venues = {venue: int(getattr(self, f"simnet_{venue}_spread_bps")) for venue in VenueName}
        return {venue: spread for venue, spread in all_venues.items() if spread}

    @property
    def is_local(self) -> bool:
        """Whether the port can be reached from this machine only: a proxy that terminates TLS passes others on."""
        return is_loopback(self.host) and not self.tls_terminated_by_proxy

    @property
    def wallet_path(self) -> Path:
        return self.wallet or self.state_dir / "wallet.json"
