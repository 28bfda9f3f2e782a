"""The client's configuration: contexts, origins of values, and edits that preserve the file."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from orderctl.config.flags import Flags
from orderctl.config.settings import load
from orderd.client.errors import ConfigError
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

CONTEXTS = """\
# my daemons
timeout = 3
url = "ws://file/"

[contexts.prod]
url = "ws://prod/"
color = "never"

[contexts.test]
url = "ws://test/"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The configuration file in the user's directory."""
    path = tmp_path / "config" / "orderctl" / "orderctl.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONTEXTS)
    return path


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch, orderctl: Orderctl) -> None:
    """Removes the variable set by ``orderctl``, which would override the file."""
    monkeypatch.delenv("ORDERCTL_URL")


def test_a_context_overrides_the_file_but_not_flags_and_environment(file: Path) -> None:
    settings = load(Flags(context="prod"), {})
    assert (settings.url, settings.color, settings.timeout) == ("ws://prod/", "never", 3.0)

    assert load(Flags(context="prod"), {"ORDERCTL_URL": "ws://environment/"}).url == "ws://environment/"
    assert load(Flags(context="prod", url="ws://flag/"), {}).url == "ws://flag/"
    assert load(Flags(), {"ORDERCTL_CONTEXT": "test"}).url == "ws://test/"


def test_a_context_is_used_until_another_is(orderctl: Orderctl, file: Path) -> None:
    assert orderctl("context", "use", "prod").err == "commands now use ws://prod/\n"
    assert load(Flags(), {}).url == "ws://prod/"
    listed = json.loads(orderctl("context", "list", "-o", "json").out)
    assert (listed["current"], [one["name"] for one in listed["contexts"]]) == ("prod", ["prod", "test"])
    assert orderctl("context", "list").out.splitlines()[1].split() == ["*", "prod", "ws://prod/"]

    assert orderctl("context", "use", "-").err == "commands now use ws://file/\n"
    assert load(Flags(), {}).url == "ws://file/"


def test_an_unknown_context_is_refused_with_the_known_ones(orderctl: Orderctl, file: Path) -> None:
    for command in (("context", "use", "pord"), ("status", "--context", "pord")):
        outcome = orderctl(*command)
        assert outcome.code == 2
        assert "use one of prod, test" in outcome.err


def test_each_value_is_shown_with_its_origin_and_api_keys_are_hidden(
    orderctl: Orderctl, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERCTL_API_KEY", "secret")
    shown = orderctl("config", "show", "--origin", "--context", "prod", "--timeout", "7")

    rows = {line.split()[0]: line.strip().split(maxsplit=2)[1:] for line in shown.out.splitlines()[1:]}
    assert rows["url"] == ["ws://prod/", f"url of the context prod in {file}"]
    assert rows["timeout"] == ["7.0", "--timeout"]
    assert rows["api_key"] == ["(set)", "ORDERCTL_API_KEY"]
    assert rows["api_key_file"] == ["-", "default"]
    assert "secret" not in shown.out

    as_json = orderctl("config", "show", "-o", "json")
    assert "secret" not in as_json.out
    settings = json.loads(as_json.out)["settings"]
    assert {"name": "timeout", "value": "3", "origin": f"timeout in {file}"} in settings


def test_the_path_is_printed_even_without_a_file(orderctl: Orderctl, tmp_path: Path) -> None:
    assert orderctl("config", "path").out == f"{tmp_path}/config/orderctl/orderctl.toml\n"


def test_a_file_is_validated_in_all_contexts(orderctl: Orderctl, file: Path) -> None:
    assert orderctl("config", "validate").err == f"{file} is valid\n"

    file.write_text(CONTEXTS.replace("ws://test/", "http://test/"))
    outcome = orderctl("config", "validate")
    assert outcome.code == 2
    assert f"url of the context test in {file}" in outcome.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("contexts = 3", "contexts must be tables"),
        ('[contexts.a]\nurl = "ws://a/"\ncolour = "never"', "'colour' of the context a is not a setting"),
        ('colour = "never"', "'colour' is not a setting"),
        ("url = ", "Invalid value"),
    ],
)
def test_an_error_in_the_file_is_named(file: Path, content: str, message: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        load(Flags(), {})
    assert message in error.value.detail


def test_a_change_keeps_all_other_lines(orderctl: Orderctl, file: Path) -> None:
    assert orderctl("config", "set", "url", "ws://new/").code == 0
    assert file.read_text() == CONTEXTS.replace('url = "ws://file/"', 'url = "ws://new/"')

    orderctl("config", "set", "color", "always")
    changed = tomllib.loads(file.read_text())
    assert changed["color"] == "always"
    assert changed["contexts"] == tomllib.loads(CONTEXTS)["contexts"]
    assert file.read_text().startswith("# my daemons\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('  url = "ws://file/"  # of the desk\n', '  url = "ws://new/"  # of the desk\n'),
        ("'url' = 'ws://file/'\n", "'url' = \"ws://new/\"\n"),
        ("# url = is said below\ntimeout = 3\n", '# url = is said below\ntimeout = 3\nurl = "ws://new/"\n'),
        ('[contexts.a]\nurl = "ws://a/"\n', 'url = "ws://new/"\n\n[contexts.a]\nurl = "ws://a/"\n'),
    ],
)
def test_a_change_finds_its_line_in_any_formatting(orderctl: Orderctl, file: Path, before: str, after: str) -> None:
    file.write_text(before)
    assert orderctl("config", "set", "url", "ws://new/").code == 0
    assert file.read_text() == after
    assert load(Flags(), {}).url == "ws://new/"


def test_the_first_change_creates_a_private_file(orderctl: Orderctl, tmp_path: Path) -> None:
    assert orderctl("config", "set", "timeout", "2.5").code == 0

    path = tmp_path / "config" / "orderctl" / "orderctl.toml"
    assert path.read_text() == "timeout = 2.5\n"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "value"), [("timeout", "soon"), ("url", "http://x/"), ("colour", "never")])
def test_an_invalid_change_is_refused_and_keeps_the_file(orderctl: Orderctl, file: Path, name: str, value: str) -> None:
    assert orderctl("config", "set", name, value).code == 2
    assert file.read_text() == CONTEXTS


@pytest.mark.parametrize("change", [("config", "set", "timeout", "5"), ("context", "use", "-")])
def test_a_path_that_is_not_a_file_is_not_replaced(
    orderctl: Orderctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, ...]
) -> None:
    pipe = tmp_path / "config.toml"
    os.mkfifo(pipe)
    monkeypatch.setenv("ORDERCTL_CONFIG", str(pipe))
    monkeypatch.setattr("orderctl.commands.context.read_file", lambda _: {})

    outcome = orderctl(*change)

    assert outcome.code == 2
    assert "not a regular file, so it cannot be changed" in outcome.err
    assert pipe.is_fifo()


def test_a_link_to_the_file_stays_a_link(orderctl: Orderctl, file: Path) -> None:
    real = file.rename(file.with_name("real.toml"))
    file.symlink_to(real)

    assert orderctl("config", "set", "timeout", "5").code == 0
    assert file.is_symlink()
    assert tomllib.loads(real.read_text())["timeout"] == 5


def test_an_api_key_may_come_from_a_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    settings = load(Flags(), {"ORDERCTL_API_KEY_COMMAND": "printf '%s\\n' from-keyring"})
    assert settings.api_key == "from-keyring"
    assert load(Flags(), {"ORDERCTL_API_KEY_COMMAND": "false", "ORDERCTL_API_KEY": "direct"}).api_key == "direct"


@pytest.mark.parametrize("command", ["false", "no-such-program-anywhere", "true", "printf 'a\\nb'", "'"])
def test_a_command_without_an_api_key_is_refused(command: str) -> None:
    with pytest.raises(ConfigError, match="ORDERCTL_API_KEY_COMMAND"):
        load(Flags(), {"ORDERCTL_API_KEY_COMMAND": command})


def test_a_former_name_works_and_the_new_one_is_named(orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCTL_TOKEN", "secret")
    shown = orderctl("config", "show")

    assert "api_key (set)" in " ".join(shown.out.split())
    assert shown.err == (
        "ORDERCTL_TOKEN: write ORDERCTL_API_KEY instead; the old name will be removed in the next release\n"
    )
    assert orderctl("config", "show", "-q").err == ""
