"""The compose file and the systemd unit are valid, start the roles that there are, and open no more than they must."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderd.main import app

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "orderd.service"
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
    own = {name: service for name, service in compose["services"].items() if service["image"].startswith("orderd:")}
    assert set(own) == {"simnet", "migrate", "wallet", "gateway", "worker"}
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


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze on this machine")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    installed = tmp_path / "orderd.service"
    installed.write_text(UNIT.read_text().replace("/opt/orderd/bin/orderd", sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze on this machine")
def test_systemd_finds_nothing_wrong_with_the_units_of_the_backup(tmp_path: Path) -> None:
    for unit in ("orderd-backup.service", "orderd-backup.timer"):
        text = (ROOT / "deploy" / unit).read_text()
        (tmp_path / unit).write_text(text.replace("/opt/orderd/bin/orderd", sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "orderd-backup.timer"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze on this machine")
def test_systemd_rates_the_exposure_of_the_unit_as_low() -> None:
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout
