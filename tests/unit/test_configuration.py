"""Settings come from the environment and a file, and what is wrong with them is told in their own terms."""

import os
from pathlib import Path

import pytest

from orderd.config.loading import ConfigurationError, database_url, load_settings
from orderd.config.settings import Settings


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file, and no other setting."""
    for name in os.environ:
        if name.startswith("ORDERD_"):
            monkeypatch.delenv(name)
    path = tmp_path / "orderd.toml"
    path.touch()
    monkeypatch.setenv("ORDERD_CONFIG", str(path))
    return path


def test_the_environment_comes_before_the_file(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text("port = 4000\nrate_limit = 7\n")
    monkeypatch.setenv("ORDERD_PORT", "5000")
    settings = load_settings()
    assert (settings.port, settings.rate_limit, settings.host) == (5000, 7, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ORDERD_PORT", "many", "ORDERD_PORT: Input should be a valid integer"),
        ("ORDERD_PORT", "70000", "ORDERD_PORT: Input should be less than or equal to 65535"),
        ("ORDERD_RATE_LIMT", "5", "ORDERD_RATE_LIMT is no setting of orderd; did you mean ORDERD_RATE_LIMIT?"),
        ("ORDERD_XYZZY", "5", "ORDERD_XYZZY is no setting of orderd"),
        ("ORDERD_CHAIN", "testnet", "ORDERD_CHAIN: Input should be 'simnet', 'devnet' or 'mainnet'"),
        ("ORDERD_CHAIN", "mainnet", "chain is mainnet, so rpc_url is needed: set ORDERD_RPC_URL"),
        ("ORDERD_SIMNET_FAULTS", '{"dropped_sends": 2}', "simnet_faults, dropped_sends: Input should be less"),
        ("ORDERD_SIMNET_FAULTS", '{"dropped": 0.1}', "simnet_faults, dropped: Extra inputs are not permitted"),
        ("ORDERD_CONFIG", "/nonexistent/orderd.toml", "ORDERD_CONFIG=/nonexistent/orderd.toml: there is no such file"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert refused.value.detail.startswith(complaint)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("port = 'many'", "port in {file}: Input should be a valid integer"),
        ("prot = 3000", "prot in {file} is no setting of orderd; did you mean port?"),
        ("port = ", "{file} is no valid TOML: Invalid value"),
    ],
)
def test_a_fault_in_the_file_is_named_with_the_file(config_file: Path, content: str, complaint: str) -> None:
    config_file.write_text(content)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert refused.value.detail.startswith(complaint.format(file=config_file))


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_an_address_that_cannot_be_used_is_refused_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^SERVICE_CONFIGURATION: {name}: .* it is no ") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_a_default_slippage_that_no_order_could_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERD_DEFAULT_SLIPPAGE", "101")
    with pytest.raises(
        ConfigurationError, match=r"^SERVICE_CONFIGURATION: ORDERD_DEFAULT_SLIPPAGE: .* not within 0 and 100 %"
    ):
        load_settings()


def test_without_a_database_of_your_own_it_is_the_one_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        ("", False),
    ],
)
def test_only_a_loopback_address_counts_as_local(address: str, loopback: bool) -> None:
    assert Settings(host=address).is_local is loopback
