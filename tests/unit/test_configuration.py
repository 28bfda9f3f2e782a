"""Settings come from the environment and a file, and errors name the setting and its source."""

import os
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orderd.commands.database import served
from orderd.commands.simnet import chain_of
from orderd.config.loading import ConfigurationError, database_url, load_settings
from orderd.config.settings import Settings
from orderd.domain.pool_kind import VenueName
from orderd.domain.tokens import USDC_MINT
from orderd.simnet.config import SimnetConfig
from orderd.simnet.faults import Faults
from orderd.solana.pool_programs import Chain


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file of settings, and no other settings."""
    for name in os.environ:
        if name.startswith("ORDERD_"):
            monkeypatch.delenv(name)
    path = tmp_path / "orderd.toml"
    path.touch()
    monkeypatch.setenv("ORDERD_CONFIG", str(path))
    return path


def test_the_environment_overrides_the_file(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text("port = 4000\nrate_limit = 7\n")
    monkeypatch.setenv("ORDERD_PORT", "5000")
    settings = load_settings()
    assert (settings.port, settings.rate_limit, settings.host) == (5000, 7, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ORDERD_PORT", "many", "ORDERD_PORT: Input should be a valid integer"),
        ("ORDERD_PORT", "70000", "ORDERD_PORT: Input should be less than or equal to 65535"),
        ("ORDERD_RATE_LIMT", "5", "ORDERD_RATE_LIMT is not a setting of orderd; did you mean ORDERD_RATE_LIMIT?"),
        ("ORDERD_XYZZY", "5", "ORDERD_XYZZY is not a setting of orderd"),
        ("ORDERD_CHAIN", "testnet", "ORDERD_CHAIN: Input should be 'simnet', 'localnet', 'devnet' or 'mainnet'"),
        ("ORDERD_DIALECT_WALLET", "any", "ORDERD_DIALECT_WALLET: Input should be 'label' or 'own'"),
        ("ORDERD_CHAIN", "mainnet", "chain is mainnet, so rpc_url is needed: set ORDERD_RPC_URL"),
        ("ORDERD_SIMNET_FAULTS", '{"dropped_sends": 2}', "simnet_faults, dropped_sends: Input should be less"),
        ("ORDERD_SIMNET_FAULTS", '{"dropped": 0.1}', "simnet_faults, dropped: Extra inputs are not permitted"),
        ("ORDERD_SIMNET_SUCCESS_RATE", "95", "ORDERD_SIMNET_SUCCESS_RATE: Input should be less than or equal to 1"),
        ("ORDERD_SIMNET_RAYDIUM_SPREAD_BPS", "51", "ORDERD_SIMNET_RAYDIUM_SPREAD_BPS: Input should be less than"),
        ("ORDERD_SIMNET_CONFIRM_MS", "30001", "simnet_confirm_ms is 30001, which is more than 75 slots"),
        ("ORDERD_CONFIG", "/nonexistent/orderd.toml", "ORDERD_CONFIG=/nonexistent/orderd.toml: there is no such file"),
        ("ORDERD_CONFIG", "/", "/ is a directory, not a file"),
        ("ORDERD_CONFIG", "/" + "x" * 5_000, "ORDERD_CONFIG: "),
        ("ORDERD_CONFIG", "~nobody-of-this-name/orderd.toml", "ORDERD_CONFIG: "),
        ("ORDERD_WALLET", "~nobody-of-this-name/wallet.json", "ORDERD_WALLET: the home directory"),
        ("ORDERD_HOST", "desk example", "ORDERD_HOST: it is neither an address nor a name"),
        ("ORDERD_HOST", "desk..example", "ORDERD_HOST: it is neither an address nor a name"),
        ("ORDERD_ALLOWED_HOSTS", "https://desk.example", "ORDERD_ALLOWED_HOSTS: it is neither an address nor a name"),
        ("ORDERD_ALLOWED_HOSTS", "a,,b", "ORDERD_ALLOWED_HOSTS: there is nothing between two commas"),
        ("ORDERD_ALLOWED_HOSTS", '["a"', "ORDERD_ALLOWED_HOSTS: it is not JSON"),
        ("ORDERD_ALLOWED_ORIGINS", "https://a@b", "ORDERD_ALLOWED_ORIGINS: it is not an origin"),
        ("ORDERD_RAYDIUM_POOLS", "xyz", "ORDERD_RAYDIUM_POOLS: it is not an address"),
        ("ORDERD_SIMNET_FAULTS", "{", "ORDERD_SIMNET_FAULTS: it is not JSON"),
        ("ORDERD_SIMNET_FAULTS", '{"a": 1, "a": 2}', "ORDERD_SIMNET_FAULTS: the member 'a' is given twice"),
        ("ORDERD_SIMNET_FAULTS", "[" * 100_000, "ORDERD_SIMNET_FAULTS: it is not JSON"),
        ("ORDERD_DATABASE_URL", "postgresql://u:%ZZ@h/d", "ORDERD_DATABASE_URL: Postgres cannot read it"),
        ("ORDERD_REDIS_URL", "redis://h/0?colour=red", "ORDERD_REDIS_URL: the client of Redis cannot read it"),
        ("ORDERD_KEEP_EVENTS_DAYS", "6", "ORDERD_KEEP_EVENTS_DAYS: nothing younger than 7 days is removed: write"),
        ("ORDERD_KEEP_NOTIONALS_DAYS", "40000", "ORDERD_KEEP_NOTIONALS_DAYS: nothing younger than 7 days is removed"),
        ("ORDERD_KEEP_FAILURES_DAYS", "ever", "ORDERD_KEEP_FAILURES_DAYS: Input should be a valid integer"),
        ("ORDERD_LEASE_SECONDS", "inf", "ORDERD_LEASE_SECONDS: Input should be"),
        ("ORDERD_RATE_WINDOW_SECONDS", "9" * 30, "ORDERD_RATE_WINDOW_SECONDS: Input should be less than"),
    ],
)
def test_an_invalid_value_is_reported_with_its_name_and_reason(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(serves=True)
    assert refused.value.detail.startswith(complaint)


def test_a_command_without_a_port_does_without_the_endpoint_and_the_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They may be credentials that only the daemon's unit can read; API keys and backups are made all the same."""
    monkeypatch.setenv("ORDERD_CHAIN", "mainnet")
    monkeypatch.setenv("ORDERD_HOST", "192.0.2.1")
    assert load_settings().rpc_url is None
    with pytest.raises(ConfigurationError) as refused:
        load_settings(serves=True)
    assert [fault.partition(",")[0] for fault in refused.value.detail.splitlines()] == [
        "chain is mainnet",
        "host is 192.0.2.1",
    ]


def test_events_are_kept_longer_than_the_rate_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_KEEP_EVENTS_DAYS", "7")
    monkeypatch.setenv("ORDERD_RATE_WINDOW_SECONDS", str(7 * 86_400))
    assert load_settings().keep_events_days == 7
    monkeypatch.setenv("ORDERD_RATE_WINDOW_SECONDS", str(7 * 86_400 + 1))
    with pytest.raises(ConfigurationError, match="keep_events_days is 7, which is shorter than rate_window_seconds"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("port = 'many'", "port in {file}: Input should be a valid integer"),
        ("prot = 3000", "prot in {file} is not a setting of orderd; did you mean port?"),
        ("port = ", "{file} is not a valid TOML: Invalid value"),
        ("port = 1\nport = 2\n", "{file} is not a valid TOML: Cannot overwrite a value"),
        ("tls_cert = ''", "tls_cert in {file}: it is empty"),
        ("host = ''", "host in {file}: it is empty"),
        ("a = " + "[" * 100_000, "{file} is not a valid TOML: it is nested too deeply"),
        ("port = " + "9" * 5_000, "{file} is not a valid TOML: Exceeds the limit"),
    ],
)
def test_an_error_in_the_file_is_reported_with_the_file(config_file: Path, content: str, complaint: str) -> None:
    config_file.write_text(content)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert refused.value.detail.startswith(complaint.format(file=config_file))


def test_all_errors_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_PORT", "many")
    monkeypatch.setenv("ORDERD_RATE_LIMIT", "-1")
    monkeypatch.setenv("ORDERD_RATE_LIMT", "5")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert len(refused.value.detail.splitlines()) == 3


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_DATABASE_URL", "postgresql://orderd:hunter2@host/orderd")
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump(mode="json"))
    assert database_url(settings) == "postgresql://orderd:hunter2@host/orderd"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORDERD_DATABASE_URL", "postgress://orderd:hunter2@host/orderd"),
        ("ORDERD_DATABASE_URL", "postgresql://orderd:hunter2/@host/orderd"),
        ("ORDERD_REDIS_URL", "http://:hunter2@host:6379"),
        ("ORDERD_REDIS_URL", "redis://:hunter2/@host:6379"),
        ("ORDERD_RPC_URL", "wss://rpc.example/hunter2"),
        ("ORDERD_RPC_URL", "rpc.example/hunter2"),
        ("ORDERD_RPC_URL", "https://rpc.example/hunter2 "),
        ("ORDERD_RPC_URL", "https://rpc.example/hunter2\u00e9"),
        ("ORDERD_RPC_URL", "https:///hunter2"),
        ("ORDERD_RPC_WS_URL", "https://rpc.example/hunter2"),
    ],
)
def test_an_invalid_url_is_refused_without_its_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^SERVICE_CONFIGURATION: {name}: it is not ") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_an_invalid_default_slippage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_DEFAULT_SLIPPAGE", "101")
    with pytest.raises(
        ConfigurationError, match=r"^SERVICE_CONFIGURATION: ORDERD_DEFAULT_SLIPPAGE: .* not within 0 and 100 %"
    ):
        load_settings()


def test_the_default_database_is_in_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_STATE_DIR", str(tmp_path))
    assert database_url(load_settings()) == f"postgresql://orderd@/orderd?host={tmp_path}/postgres"


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_only_a_loopback_address_counts_as_local(address: str, loopback: bool) -> None:
    assert Settings(host=address).is_local is loopback


@pytest.mark.parametrize("name", ["MAX_NOTIONAL_PER_ORDER", "MAX_NOTIONAL_PER_DAY"])
def test_value_limits_are_amounts_of_usdc(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for wrong in ("much", "-1", "0", "1.0000001"):
        monkeypatch.setenv(f"ORDERD_{name}", wrong)
        with pytest.raises(ConfigurationError, match=name):
            load_settings()
    monkeypatch.setenv(f"ORDERD_{name}", "2000.5")
    assert getattr(load_settings(), name.lower()) == "2000.5"


@pytest.mark.parametrize("written", ["SOL,USDC", "SOL, USDC", '["SOL", "USDC"]', ' ["SOL","USDC"] '])
def test_a_list_is_comma_separated_or_json(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("ORDERD_INTERMEDIATE_TOKENS", written)
    assert load_settings().intermediate_tokens == ("SOL", "USDC")


def test_a_list_in_the_file_may_be_comma_separated(config_file: Path) -> None:
    config_file.write_text("allowed_hosts = 'a.example, b.example'\nintermediate_tokens = ['SOL']\n")
    settings = load_settings()
    assert (settings.allowed_hosts, settings.intermediate_tokens) == (("a.example", "b.example"), ("SOL",))


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("STATE_DIR", "WALLET", "TLS_CERT", "TLS_KEY"):
        monkeypatch.setenv(f"ORDERD_{name}", f"~/{name}")
    settings = load_settings()
    assert [settings.state_dir, settings.wallet, settings.tls_cert, settings.tls_key] == [
        tmp_path / name for name in ("STATE_DIR", "WALLET", "TLS_CERT", "TLS_KEY")
    ]


def test_an_empty_option_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--state-dir: it is empty"):
        load_settings(state_dir="")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(config_file: Path, encoding: str) -> None:
    config_file.write_bytes("port = 4000 # ü\n".encode(encoding))
    assert load_settings().port == 4000


@pytest.mark.parametrize("content", ["# ü".encode("latin-1"), "port = 1".encode("utf-16-le")])
def test_a_file_in_another_encoding_is_refused(config_file: Path, content: bytes) -> None:
    config_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"{config_file}: it "):
        load_settings()


def test_every_line_of_the_example_may_be_uncommented(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line.removeprefix("# ") for line in Path(".env.example").read_text().splitlines()]
    chosen = dict(line.split("=", 1) for line in lines if line.startswith("ORDERD_"))
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", "/home/trader")

    assert len(chosen) == len(Settings.model_fields)
    plain = Settings.model_construct()
    assert load_settings() == plain.model_copy(update={"state_dir": Path("/home/trader/.local/state/orderd")})


_NAMES = st.sampled_from(sorted(f"ORDERD_{name.upper()}" for name in Settings.model_fields))
_VALUES = st.text(st.characters(blacklist_characters="\0")).filter(
    lambda text: text.isascii() or _is_encodable(text)
) | (
    st.sampled_from(
        ["~", "~x/", "[", "{}", '{"nodes": []}', "a,b", "http://[", "redis://", "nan", "1e999", "-1", "::1"]
    )
)


def _is_encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(variables=st.dictionaries(_NAMES | st.text("ABC_", max_size=9).map("ORDERD_{}".format), _VALUES, max_size=5))
def test_any_environment_is_parsed_or_refused(config_file: Path, variables: dict[str, str]) -> None:
    with mock.patch.dict(os.environ, {**variables, "ORDERD_CONFIG": str(config_file)}), suppress(ConfigurationError):
        assert load_settings().model_dump(mode="json")


_LINES = st.builds("{} = {}".format, st.sampled_from(sorted(Settings.model_fields)), st.text() | _VALUES.map(repr))


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary()
    | st.text().map(str.encode)
    | st.lists(_LINES, max_size=4).map(lambda all_: "\n".join(all_).encode())
)
def test_any_file_is_parsed_or_refused(config_file: Path, content: bytes) -> None:
    config_file.write_bytes(content)
    with suppress(ConfigurationError):
        assert load_settings().model_dump(mode="json")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            {"SUCCESS_RATE": "0.9", "FAULTS": '{"failure_rate": 0.1}'},
            "success_rate and failure_rate of simnet_faults say",
        ),
        (
            {"METEORA_LATENCY_MS": "100", "FAULTS": '{"venue_latency_ms": {}}'},
            "the venues' latencies and venue_latency_ms of simnet_faults say the same",
        ),
        ({"RAYDIUM_SPREAD_BPS": "-5", "MARKET": "false"}, "a venue has a spread, and simnet_market is false"),
    ],
)
def test_contradictory_settings_of_the_local_chain_are_refused(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], complaint: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"ORDERD_SIMNET_{name}", value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert complaint in refused.value.detail


def test_the_local_chain_is_started_as_its_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SUCCESS_RATE": "0.75",
        "CONFIRM_MS": "15000",
        "RAYDIUM_LATENCY_MS": "200",
        "METEORA_LATENCY_MS": "350",
        "METEORA_SPREAD_BPS": "-30",
        "FAULTS": '{"dropped_sends": 0.5}',
    }.items():
        monkeypatch.setenv(f"ORDERD_SIMNET_{name}", value)
    chain = chain_of(load_settings())
    assert (chain.confirm_ms, chain.spread_bps) == (15_000, {VenueName.METEORA: -30})
    assert chain.faults == Faults(
        dropped_sends=0.5,
        failure_rate=0.25,
        venue_latency_ms={VenueName.RAYDIUM: (200, 200), VenueName.METEORA: (350, 350)},
    )


def test_the_local_chain_is_fast_and_faultless_by_default() -> None:
    chain = chain_of(load_settings())
    assert chain == SimnetConfig(state_dir=chain.state_dir)
    assert chain.confirm_slots == 0


@pytest.mark.parametrize("venue", VenueName)
def test_every_venue_has_settings_for_pools_latency_and_spread(
    monkeypatch: pytest.MonkeyPatch, venue: VenueName
) -> None:
    monkeypatch.setenv(f"ORDERD_SIMNET_{venue.upper()}_LATENCY_MS", "5")
    monkeypatch.setenv(f"ORDERD_SIMNET_{venue.upper()}_SPREAD_BPS", "6")
    monkeypatch.setenv(f"ORDERD_{venue.upper()}_POOLS", USDC_MINT)
    settings = load_settings()
    assert settings.pool_addresses == {other: (USDC_MINT,) if other == venue else () for other in VenueName}
    assert (settings.simnet_venue_latency_ms, settings.simnet_spread_bps) == ({venue: 5}, {venue: 6})


@pytest.mark.parametrize(
    ("chain", "given", "most"),
    [("mainnet", None, "100"), ("mainnet", "5000", "5000"), ("devnet", None, None), ("simnet", None, None)],
)
def test_orders_on_mainnet_are_small_by_default(chain: Chain, given: str | None, most: str | None) -> None:
    assert Settings(chain=chain, max_notional_per_order=given).most_per_order == most


def test_an_unreadable_directory_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def stat_of_others(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "orderd.toml":
            raise PermissionError(13, "Permission denied")
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.delenv("ORDERD_CONFIG", raising=False)
    monkeypatch.setattr(Path, "stat", stat_of_others)
    with pytest.raises(ConfigurationError, match=r"may not read .*/orderd\.toml: change the directory"):
        load_settings()


def test_a_command_on_another_users_state_directory_names_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with (
        pytest.raises(ConfigurationError, match=f"{state_dir} belongs to user .*sudo -u"),
        served(Settings(state_dir=state_dir)),
    ):
        pass
    assert not list(state_dir.iterdir()), "no file was left that its owner cannot open"
