"""What can be set, and where it comes from: flag > environment (``ORDERD_*``) > ``orderd.toml`` > default."""

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
    MOST,
    Account,
    AnsweredName,
    DatabaseUrl,
    Host,
    JsonObject,
    KeptDays,
    Listed,
    Network,
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
from orderd.domain.quote import PoolKind, VenueName
from orderd.domain.text import text_of
from orderd.simnet.config import MAX_SPREAD_BPS
from orderd.solana.pool_programs import Chain, program_of

CONFIG_VARIABLE: Final = "ORDERD_CONFIG"


def config_file() -> Path:
    """The file of settings. An empty variable is an unset one."""
    return Path(os.environ.get(CONFIG_VARIABLE) or "orderd.toml").expanduser()


class _TomlFile(TomlConfigSettingsSource):
    """As the library's, in UTF-8 or what its byte order mark says."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:  # noqa: ANN401  (a path, or what is like one)
        return tomllib.loads(text_of(file_path.read_bytes()))


class Settings(BaseSettings):
    """The daemon's configuration. Where no URL is given, orderd brings its own Postgres, Redis or simnet."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERD_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    state_dir: UserPath = Field(default_factory=lambda: user_state_path("orderd"))
    """Where the embedded services keep their data, and the wallet is unless ``wallet`` says otherwise."""

    host: Host = "127.0.0.1"
    """The address to listen on. Any but a loopback address asks every client for a token, and needs TLS."""
    port: int = Field(3000, ge=0, le=65535)
    """The one port for websocket and HTTP; 0 takes a free one."""
    allowed_hosts: Annotated[tuple[AnsweredName, ...], NoDecode, Listed] = ()
    """Further names under which clients reach the port; a request that names any other host is refused."""
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = ()
    """Web pages that may use the port, such as https://desk.example; without any, the port's own address alone."""
    tls_cert: UserPath | None = None
    """The port's certificate with its chain, in PEM. A file that is replaced counts for the next connection."""
    tls_key: UserPath | None = None
    """The certificate's key, in PEM, without a password."""
    tls_terminated_by_proxy: bool = False
    """Says that whatever leads from other machines to the port ends TLS: only then is it opened to them without."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, Listed] = ()
    """Addresses or networks of proxies whose X-Forwarded-For is believed."""
    max_connections: int = Field(10_000, ge=0, le=MOST)
    """Connections at one time, those included that have not said yet what they want; 0 sets no cap."""
    max_connections_per_address: int = Field(1_000, ge=0, le=MOST)
    """The same from one address, or from one IPv6 network of 64 bits; 0 sets no cap."""

    database_url: DatabaseUrl | None = None
    """postgresql://USER:PASSWORD@HOST/DATABASE"""
    redis_url: RedisUrl | None = None
    """redis://HOST:6379/0. Its maxmemory-policy must be noeviction."""
    rpc_url: RpcUrl | None = None
    """The chain's JSON-RPC endpoint. Needed on devnet and mainnet."""
    rpc_ws_url: RpcWebsocketUrl | None = None
    """The chain's websocket endpoint."""
    rpc_single_node: bool | None = None
    """Whether the endpoint is one node and not several behind one address; where empty, that is so of simnet alone."""
    chain: Chain = "simnet"
    """simnet, devnet or mainnet."""

    wallet: UserPath | None = None
    """A keypair file in the Solana CLI's format, mode 0600."""
    wallet_address: Account | None = None
    """The wallet's address. A gateway that knows it needs no access to the key, which only workers load."""

    dialect_wallet: Literal["label", "own"] | None = None
    """What an order in the words of another engine may name as its wallet: own, this wallet alone; label, any address,
    which is kept with the order and changes nothing. Where empty, label on simnet and own elsewhere."""

    worker_threads: int = Field(10, ge=1, le=200)
    """Orders that a worker process works on at one time."""
    rate_limit: int = Field(100, ge=0, le=MOST)
    """Order starts in any sliding window, over the whole cluster; 0 switches the limit off."""
    rate_window_seconds: int = Field(60, ge=1, le=MOST)
    """The length of that window."""
    max_open_per_key: int = Field(1_000, ge=0, le=MOST)
    """Orders of one token that wait for the market at one time; 0 sets no cap."""
    max_in_flight: int = Field(0, ge=0, le=MOST)
    """Submitted orders at one time in a worker process; 0 sets no cap."""

    default_slippage: Percent = "0.5"
    """Percent, for orders that name none."""
    max_price_impact_bps: int = Field(500, ge=0, le=10_000)
    """Orders whose whole route would move the price by more are refused. Basis points."""
    max_total_cost_bps: int = Field(1_000, ge=0, le=10_000)
    """Orders that would pay more than this in pool fees and price impact together are refused. Basis points."""
    max_price_deviation_bps: int = Field(500, ge=0, le=10_000)
    """While pools do not answer, orders whose price is below the last one by more are refused. Basis points."""
    intermediate_tokens: Annotated[tuple[Text, ...], NoDecode, Listed] = ("SOL", "USDC")
    """Tokens that an order may be traded by way of, where that pays more than its own pair."""
    max_slot_lag: int = Field(20, ge=0, le=MOST)
    """Pools whose state is older than the newest by more slots are left out of a route."""
    venue_timeout_ms: int = Field(1_500, ge=1, le=MOST)
    """A venue that takes longer to answer is left out."""
    pool_max_age_ms: int = Field(400, ge=0, le=MOST)
    """How old a pool's state may be that a quote is made from."""
    pool_kinds: Annotated[tuple[PoolKind, ...], NoDecode, Listed] = ()
    """The kinds of pools to trade in; where empty, all on simnet, and elsewhere those proved on that chain."""
    raydium_pools: Annotated[tuple[Account, ...], NoDecode, Listed] = ()
    """Addresses of Raydium pools; where empty, they are looked up on the chain."""
    meteora_pools: Annotated[tuple[Account, ...], NoDecode, Listed] = ()
    """The same for Meteora."""

    compute_unit_price: int = Field(10_000, ge=0, le=MOST)
    """The least priority fee in micro-lamports a compute unit."""
    max_compute_unit_price: int = Field(1_000_000, ge=0, le=MOST)
    """The most."""
    priority_fee_percentile: int = Field(75, ge=1, le=100)
    """Between them: what this percentage of recent slots took at most from transactions that write the same pools."""
    max_attempts: int = Field(3, ge=1, le=10)
    """Attempts that may fail before the order does. Waiting is none."""
    retry_base_ms: int = Field(1_000, ge=1, le=MOST)
    """The wait before the second attempt; it doubles from one to the next."""
    order_ttl_seconds: int = Field(600, ge=1, le=MOST)
    """An order that could not be executed for so long ends as expired. Time in line for a start does not count."""
    lease_seconds: Annotated[Seconds, Field(gt=0)] = 15.0
    """After so long without renewal a worker loses its orders, where its death did not become known before."""
    settle_interval_ms: int = Field(200, ge=10, le=MOST)
    """How often a worker asks for the statuses of what it has sent."""
    resend_interval_ms: int = Field(1_000, ge=50, le=MOST)
    """How often it sends the same bytes again until they land or expire."""
    unknown_after_seconds: Annotated[Seconds, Field(gt=0)] = 300.0
    """An order whose transaction has neither landed nor provably expired for so long is shown as unknown."""
    dispatch_interval_ms: int = Field(250, ge=10, le=MOST)
    """How often a worker looks for orders that are due."""
    drain_seconds: Seconds = 10.0
    """How long work in progress may take to finish when the daemon stops."""

    keep_events_days: KeptDays = None
    """Days after an order's end until its events are removed; where empty, they stay for ever, as all that follows."""
    keep_failures_days: KeptDays = None
    """The same for what is kept of its failed attempts: codes, reasons and logs."""
    keep_signed_bytes_days: KeptDays = None
    """The same for the bytes of transactions whose fate is final; the rest of the attempt stays."""
    keep_notionals_days: KeptDays = None
    """The same for what each order of a token with a limit of money was worth; a limit needs one day."""

    simnet_host: Host = "127.0.0.1"
    """The address the local chain listens on."""
    simnet_port: int = Field(0, ge=0, le=65534)
    """The local chain's port for HTTP; its websocket takes the next one. 0 takes two free ones."""
    simnet_slot_ms: int = Field(400, ge=5, le=MOST)
    """The length of the local chain's slots."""
    simnet_seed: int = 1
    """Of the local chain's market and faults."""
    simnet_market: bool = True
    """Whether others trade on the local chain, so that prices move."""
    simnet_keep_days: KeptDays = None
    """Days until the local chain forgets what its transactions said, never that they landed; where empty, never."""
    simnet_success_rate: float = Field(1.0, ge=0, le=1)
    """The share of the local chain's swaps that land without an error; the others fail as if the price had moved."""
    simnet_confirm_ms: int = Field(0, ge=0, le=MOST)
    """How long a block takes to be confirmed, at most 75 slots; with 0, no longer than to write it down."""
    simnet_raydium_latency_ms: int = Field(0, ge=0, le=MOST)
    """How much later the local chain answers what it is asked of Raydium's pools."""
    simnet_meteora_latency_ms: int = Field(0, ge=0, le=MOST)
    """The same for Meteora."""
    simnet_raydium_spread_bps: int = Field(0, ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)
    """Basis points by which the local market keeps SOL dearer in Raydium's pools than elsewhere; cheaper below 0."""
    simnet_meteora_spread_bps: int = Field(0, ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)
    """The same for Meteora."""
    simnet_faults: JsonObject = Field(default_factory=dict)
    """Faults that the local chain plays, as JSON, such as {"dropped_sends": 0.1}; all are in docs/simnet.md."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """debug, info, warning or error."""
    log_format: Literal["json", "console"] = "json"
    """json, or console for a person to read."""

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

    @property
    def traded_kinds(self) -> tuple[PoolKind, ...]:
        """On a real chain a kind that was never proved against the program there takes part only where it is named."""
        return self.pool_kinds or tuple(kind for kind in PoolKind if program_of(kind).trades_on(self.chain))

    @property
    def keeps_wallet_labels(self) -> bool:
        """Whether an order in the words of another engine may name any wallet."""
        return (self.dialect_wallet or ("label" if self.chain == "simnet" else "own")) == "label"

    @property
    def is_one_node(self) -> bool:
        """Whether no two answers of the chain's endpoint are of two nodes."""
        if self.rpc_single_node is not None:
            return self.rpc_single_node
        faults = self.simnet_faults
        return self.chain == "simnet" and faults.get("nodes", "one") == "one" and not faults.get("fork_rate")

    @property
    def simnet_venue_latency_ms(self) -> dict[VenueName, int]:
        """Of the venues that have one."""
        all_venues = {venue: int(getattr(self, f"simnet_{venue}_latency_ms")) for venue in VenueName}
        return {venue: latency for venue, latency in all_venues.items() if latency}

    @property
    def simnet_spread_bps(self) -> dict[VenueName, int]:
        """Of the venues that have one."""
        all_venues = {venue: int(getattr(self, f"simnet_{venue}_spread_bps")) for venue in VenueName}
        return {venue: spread for venue, spread in all_venues.items() if spread}

    @property
    def is_local(self) -> bool:
        """Whether the port can be reached from this machine only."""
        return is_loopback(self.host)

    @property
    def wallet_path(self) -> Path:
        return self.wallet or self.state_dir / "wallet.json"
