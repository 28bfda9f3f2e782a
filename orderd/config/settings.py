"""What can be set, and where it comes from: flag > environment (``ORDERD_*``) > ``orderd.toml`` > default."""

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_state_path
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from orderd.domain.errors import OrderdError
from orderd.domain.money import parse_slippage_bps
from orderd.domain.quote import PoolKind
from orderd.solana.pool_programs import Chain, program_of


def _url(text: str, *schemes: str) -> None:
    """Raises ValueError without a word of the text, which may hold a password or a key."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"it is no URL that begins with {schemes[0]}:// (is a character of the password unescaped?)")


def _secret_url(*schemes: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        _url(secret.get_secret_value(), *schemes)
        return secret

    return AfterValidator(check)


def _plain_url(*schemes: str) -> AfterValidator:
    def check(text: str) -> str:
        _url(text, *schemes)
        if not (text.isascii() and text.isprintable()) or " " in text or not urlsplit(text).hostname:
            raise ValueError("it is no address: a host is missing, or a character is unescaped")
        return text

    return AfterValidator(check)


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("it is no origin; write it like https://desk.example")
    return text.lower()


def _network(text: str) -> str:
    ip_network(text)
    return text


def _percent(text: str) -> str:
    try:
        parse_slippage_bps(text)
    except OrderdError as error:
        raise ValueError(error.detail) from error
    return text


class Settings(BaseSettings):
    """The daemon's configuration. Where no URL is given, orderd brings its own Postgres, Redis or simnet."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERD_", extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    state_dir: Path = Field(default_factory=lambda: user_state_path("orderd"))
    """Where the embedded services keep their data, and the wallet is unless ``wallet`` says otherwise."""

    host: str = "127.0.0.1"
    """The address to listen on. Any but a loopback address asks every client for a token, and needs TLS."""
    port: int = Field(3000, ge=0, le=65535)
    """The one port for websocket and HTTP; 0 takes a free one."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names under which clients reach the port; a request that names any other host is refused."""
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    """Web pages that may use the port, such as https://desk.example; without any, the port's own address alone."""
    tls_cert: Path | None = None
    """The port's certificate with its chain, in PEM. A file that is replaced counts for the next connection."""
    tls_key: Path | None = None
    """The certificate's key, in PEM, without a password."""
    tls_terminated_by_proxy: bool = False
    """Says that whatever leads from other machines to the port ends TLS: only then is it opened to them without."""
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Addresses or networks of proxies whose X-Forwarded-For is believed."""
    max_connections: int = Field(10_000, ge=0)
    """Connections at one time, those included that have not said yet what they want; 0 sets no cap."""
    max_connections_per_address: int = Field(1_000, ge=0)
    """The same from one address, or from one IPv6 network of 64 bits; 0 sets no cap."""

    database_url: Annotated[SecretStr, _secret_url("postgresql", "postgres")] | None = None
    """postgresql://USER:PASSWORD@HOST/DATABASE"""
    redis_url: Annotated[SecretStr, _secret_url("redis", "rediss", "unix")] | None = None
    """redis://HOST:6379/0. Its maxmemory-policy must be noeviction."""
    rpc_url: Annotated[str, _plain_url("https", "http")] | None = None
    """The chain's JSON-RPC endpoint. Needed on devnet and mainnet."""
    rpc_ws_url: Annotated[str, _plain_url("wss", "ws")] | None = None
    """The chain's websocket endpoint."""
    rpc_single_node: bool | None = None
    """Whether the endpoint is one node and not several behind one address; where empty, that is so of simnet alone."""
    chain: Chain = "simnet"
    """simnet, devnet or mainnet."""

    wallet: Path | None = None
    """A keypair file in the Solana CLI's format, mode 0600."""

    worker_threads: int = Field(10, ge=1, le=200)
    """Orders that a worker process works on at one time."""
    rate_limit: int = Field(100, ge=0)
    """Order starts in any sliding window, over the whole cluster; 0 switches the limit off."""
    rate_window_seconds: int = Field(60, ge=1)
    """The length of that window."""
    max_in_flight: int = Field(0, ge=0)
    """Submitted orders at one time in a worker process; 0 sets no cap."""

    default_slippage: Annotated[str, AfterValidator(_percent)] = "0.5"
    """Percent, for orders that name none."""
    max_price_impact_bps: int = Field(500, ge=0, le=10_000)
    """Orders whose whole route would move the price by more are refused. Basis points."""
    max_price_deviation_bps: int = Field(500, ge=0, le=10_000)
    """While pools do not answer, orders whose price is below the last one by more are refused. Basis points."""
    intermediate_tokens: tuple[str, ...] = ("SOL", "USDC")
    """Tokens that an order may be traded by way of, where that pays more than its own pair."""
    max_slot_lag: int = Field(20, ge=0)
    """Pools whose state is older than the newest by more slots are left out of a route."""
    venue_timeout_ms: int = Field(1_500, ge=1)
    """A venue that takes longer to answer is left out."""
    pool_max_age_ms: int = Field(400, ge=0)
    """How old a pool's state may be that a quote is made from."""
    pool_kinds: tuple[PoolKind, ...] = ()
    """The kinds of pools to trade in; where empty, all on simnet, and elsewhere those proved on that chain."""
    raydium_pools: tuple[str, ...] = ()
    """Addresses of Raydium pools; where empty, they are looked up on the chain."""
    meteora_pools: tuple[str, ...] = ()
    """The same for Meteora."""

    compute_unit_price: int = Field(10_000, ge=0)
    """The least priority fee in micro-lamports a compute unit."""
    max_compute_unit_price: int = Field(1_000_000, ge=0)
    """The most."""
    priority_fee_percentile: int = Field(75, ge=1, le=100)
    """Between them: what this percentage of recent slots took at most from transactions that write the same pools."""
    max_attempts: int = Field(3, ge=1, le=10)
    """Attempts that may fail before the order does. Waiting is none."""
    retry_base_ms: int = Field(1_000, ge=1)
    """The wait before the second attempt; it doubles from one to the next."""
    lease_seconds: Annotated[float, Field(gt=0)] = 15.0
    """A worker that has not renewed its leases for this long is taken for dead."""
    settle_interval_ms: int = Field(200, ge=10)
    """How often a worker asks for the statuses of what it has sent."""
    resend_interval_ms: int = Field(1_000, ge=50)
    """How often it sends the same bytes again until they land or expire."""
    unknown_after_seconds: Annotated[float, Field(gt=0)] = 300.0
    """An order whose transaction has neither landed nor provably expired for so long is shown as unknown."""
    dispatch_interval_ms: int = Field(250, ge=10)
    """How often a worker looks for orders that are due."""
    drain_seconds: Annotated[float, Field(ge=0)] = 10.0
    """How long work in progress may take to finish when the daemon stops."""

    simnet_host: str = "127.0.0.1"
    """The address the local chain listens on."""
    simnet_port: int = Field(0, ge=0, le=65534)
    """The local chain's port for HTTP; its websocket takes the next one. 0 takes two free ones."""
    simnet_slot_ms: int = Field(400, ge=5)
    """The length of the local chain's slots."""
    simnet_seed: int = 1
    """Of the local chain's market and faults."""
    simnet_market: bool = True
    """Whether others trade on the local chain, so that prices move."""
    simnet_faults: dict[str, Any] = Field(default_factory=dict)
    """Faults that the local chain plays, as JSON, such as {"dropped_sends": 0.1}."""

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
        file = Path(os.environ.get("ORDERD_CONFIG", "orderd.toml"))
        return init_settings, env_settings, file_secret_settings, TomlConfigSettingsSource(settings_cls, file)

    @property
    def traded_kinds(self) -> tuple[PoolKind, ...]:
        """On a real chain a kind that was never proved against the program there takes part only where it is named."""
        return self.pool_kinds or tuple(kind for kind in PoolKind if program_of(kind).trades_on(self.chain))

    @property
    def is_one_node(self) -> bool:
        """Whether no two answers of the chain's endpoint are of two nodes."""
        if self.rpc_single_node is not None:
            return self.rpc_single_node
        faults = self.simnet_faults
        return self.chain == "simnet" and faults.get("nodes", "one") == "one" and not faults.get("fork_rate")

    @property
    def is_local(self) -> bool:
        """Whether the port can be reached from this machine only."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def wallet_path(self) -> Path:
        return self.wallet or self.state_dir / "wallet.json"
