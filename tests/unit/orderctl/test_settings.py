import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orderctl.config.flags import Flags
from orderctl.config.settings import Settings, load
from orderd.client.errors import ConfigError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "orderctl.toml"


def test_the_default_is_the_daemon_of_this_machine() -> None:
    assert load(Flags(), {}) == Settings(url="ws://127.0.0.1:3000/", api_key=None, color="auto", timeout=10.0)


def test_flags_override_the_environment_the_file_and_defaults(config: Path) -> None:
    config.write_text('url = "ws://file/"\ncolor = "never"\ntimeout = 3\n')
    environ = {"ORDERCTL_CONFIG": str(config), "ORDERCTL_URL": "ws://environment/", "ORDERCTL_COLOR": "always"}

    settings = load(Flags(url="ws://flag/"), environ)

    assert (settings.url, settings.color, settings.timeout) == ("ws://flag/", "always", 3.0)


def test_the_file_is_found_in_the_users_configuration_directory(tmp_path: Path) -> None:
    directory = tmp_path / "config" / "orderctl"
    directory.mkdir(parents=True)
    (directory / "orderctl.toml").write_text('url = "ws://home/"')

    assert load(Flags(), {}).url == "ws://home/"


def test_an_api_key_comes_from_a_flag_the_environment_or_a_file(tmp_path: Path) -> None:
    of_file, of_flag = tmp_path / "a", tmp_path / "b"
    of_file.write_text("from-file\n")
    of_flag.write_text("from-flag\n")

    assert load(Flags(), {"ORDERCTL_API_KEY_FILE": str(of_file)}).api_key == "from-file"
    assert load(Flags(), {"ORDERCTL_API_KEY_FILE": str(of_file), "ORDERCTL_API_KEY": "direct"}).api_key == "direct"
    assert load(Flags(api_key_file=of_flag), {"ORDERCTL_API_KEY": "direct"}).api_key == "from-flag"


def test_an_api_key_is_not_printed_with_the_settings() -> None:
    assert "secret" not in repr(Settings(api_key="secret"))


@pytest.mark.parametrize(
    ("flags", "environ", "named"),
    [
        (Flags(url="http://x/"), {}, "--url"),
        (Flags(url="127.0.0.1:3000"), {}, "--url"),
        (Flags(timeout=0), {}, "--timeout"),
        (Flags(timeout=float("nan")), {}, "--timeout"),
        (Flags(), {"ORDERCTL_TIMEOUT": "soon"}, "ORDERCTL_TIMEOUT"),
        (Flags(), {"ORDERCTL_COLOR": "pink"}, "ORDERCTL_COLOR"),
        (Flags(), {"ORDERCTL_API_KEY_FILE": "/nowhere/token"}, "ORDERCTL_API_KEY_FILE"),
        (Flags(), {"ORDERCTL_CONFIG": "/nowhere/orderctl.toml"}, "ORDERCTL_CONFIG"),
    ],
)
def test_an_invalid_value_is_named_with_its_origin(flags: Flags, environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load(flags, environ)


@pytest.mark.parametrize("content", ['ulr = "ws://x/"', "url = ", 'api_key = "never in a file"', "url = 3"])
def test_an_invalid_file_is_refused_with_its_name(config: Path, content: str) -> None:
    config.write_text(content)

    with pytest.raises(ConfigError, match=r"orderctl\.toml"):
        load(Flags(), {"ORDERCTL_CONFIG": str(config)})


def test_a_api_key_file_must_hold_one_printable_line(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for content in ("", "\n", "two\nlines", "tökén"):
        path.write_text(content)
        with pytest.raises(ConfigError, match="API key"):
            load(Flags(api_key_file=path), {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("url = 'ws://a/' # ü".encode("latin-1"), "save it as UTF-8"),
        ("url = 'ws://a/'".encode("utf-16-le"), "NUL"),
        (b"url = 'ws://[::1'", "is not a websocket address"),
        (b"url = 'ws://a:99999/'", "is not a websocket address"),
        (b"url = 'ws://a..b/'", "is not a websocket address"),
        (b"api_key_command = 'a\\u0000b'", ""),
        (b"api_key_file = '~nobody-of-this-name/token'", "nobody-of-this-name"),
        (b"ca = '" + b"x" * 5_000 + b"'", "too long"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"url = 'ws://a/'\nurl = 'ws://b/'", "Cannot overwrite a value"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(config: Path, content: bytes, message: str) -> None:
    config.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(Flags(), {"ORDERCTL_CONFIG": str(config)})
    assert message in refused.value.detail


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark_are_read(config: Path, tmp_path: Path, encoding: str) -> None:
    key = tmp_path / "key"
    key.write_bytes("secret\r\n".encode(encoding))
    config.write_bytes(f"api_key_file = '{key}' # ü".encode(encoding))

    assert load(Flags(), {"ORDERCTL_CONFIG": str(config)}).api_key == "secret"


def test_an_empty_variable_is_an_unset_one() -> None:
    names = ("CONFIG", "CONTEXT", "URL", "CA", "TOKEN", "TOKEN_FILE", "TOKEN_COMMAND", "COLOR", "TIMEOUT")
    assert load(Flags(), {f"ORDERCTL_{name}": "" for name in names}) == load(Flags(), {})


_NAMES = st.sampled_from(("URL", "CA", "TOKEN", "TOKEN_FILE", "COLOR", "TIMEOUT", "CONTEXT", "CONFIG"))
_VALUES = st.text() | st.sampled_from(("~", "~x", "ws://[", "ws://a", "nan", "1e999", "/", "/dev/null/x"))
_KEYS = st.sampled_from(("url", "ca", "api_key_file", "color", "timeout", "contexts.a.url"))
_LINES = st.builds("{} = {}".format, _KEYS, st.text() | _VALUES.map(json.dumps))


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(variables=st.dictionaries(_NAMES.map("ORDERCTL_{}".format), _VALUES))
def test_any_environment_is_parsed_or_refused(variables: dict[str, str]) -> None:
    with suppress(ConfigError):
        assert load(Flags(), variables).url


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary() | st.lists(_LINES, max_size=4).map(lambda lines: "\n".join(lines).encode(errors="replace")))
def test_any_file_is_parsed_or_refused(config: Path, content: bytes) -> None:
    config.write_bytes(content)
    with suppress(ConfigError):
        assert load(Flags(), {"ORDERCTL_CONFIG": str(config)}).url


def test_former_names_are_read_after_the_new_ones(config: Path, tmp_path: Path) -> None:
    before, now = tmp_path / "before", tmp_path / "now"
    before.write_text("before\n")
    now.write_text("now\n")
    config.write_text(f"token_file = '{before}'\n")

    assert load(Flags(), {"ORDERCTL_CONFIG": str(config)}).api_key == "before"
    assert load(Flags(token_file=before), {"ORDERCTL_API_KEY": "now"}).api_key == "before"
    assert load(Flags(), {"ORDERCTL_TOKEN": "before", "ORDERCTL_API_KEY": "now"}).api_key == "now"
    assert load(Flags(api_key_file=now), {"ORDERCTL_TOKEN": "before"}).api_key == "now"
