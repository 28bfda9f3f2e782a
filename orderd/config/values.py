"""The types of settings' values: their notation and checks.

Each check raises ValueError, without quoting the text if it may contain a password or a key.
"""

import json
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import parse_dsn
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from solders.pubkey import Pubkey

from orderd.domain.authority import host_of, normalized
from orderd.domain.errors import OrderdError
from orderd.domain.money import parse_amount, parse_slippage_bps
from orderd.domain.strict_json import read_json

MAX_NUMBER: Final = 1_000_000_000
"""Maximum of counts and times. A larger value is a mistake, and does not fit clocks and columns."""
MIN_KEPT_DAYS: Final = 7
_USDC_DECIMALS: Final = 6
_MAX_KEPT_DAYS: Final = 36_500


def _filled(text: object) -> object:
    if isinstance(text, str) and not text.strip():
        raise ValueError("it is empty; leave it out, or give it a value")
    return text


def _path(text: object) -> object:
    if not isinstance(text, str | Path):
        return text
    try:
        path = Path(_filled(str(text))).expanduser()  # type: ignore[arg-type]  # a str, as it came
        str(path).encode()
    except RuntimeError as error:
        raise ValueError("the home directory that it begins with is unknown") from error
    except UnicodeEncodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    if "\0" in str(path):
        raise ValueError("it holds a NUL character")
    return path


def _listed(value: object) -> object:
    """``a,b`` or ``["a", "b"]``; a list is one already."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        return _json(text)
    names = [name.strip() for name in text.split(",")] if text else []
    if "" in names:
        raise ValueError("there is nothing between two commas; write it like a,b")
    return names


def _object(value: object) -> object:
    return _json(value) if isinstance(value, str) else value


def _json(text: str) -> object:
    try:
        return read_json(text)
    except RecursionError as error:
        raise ValueError("it is not JSON: it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error


def _host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if ":" in text or host_of(text) is None:
            raise ValueError("it is neither an address nor a name; write it like 127.0.0.1 or desk.example") from None
    return text


def _answered_name(text: str) -> str:
    name = normalized(text)
    _host(name)
    return name


def _origin(text: str) -> str:
    scheme, _, authority = text.partition("://")
    if scheme.lower() not in ("http", "https") or host_of(authority) is None:
        raise ValueError("it is not an origin; write it like https://desk.example")
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


def _notional(text: str) -> str:
    try:
        parse_amount(text, _USDC_DECIMALS)
    except OrderdError as error:
        raise ValueError(error.detail) from error
    return text


def _account(text: str) -> str:
    try:
        Pubkey.from_string(text)
    except ValueError:
        raise ValueError("it is not an address: it must be 32 bytes in base58") from None
    return text


def _kept_days(days: int | None) -> int | None:
    if days is not None and not MIN_KEPT_DAYS <= days <= _MAX_KEPT_DAYS:
        raise ValueError(
            f"nothing younger than {MIN_KEPT_DAYS} days is removed: write a number of days from {MIN_KEPT_DAYS} to "
            f"{_MAX_KEPT_DAYS}, or leave it out to keep all for ever"
        )
    return days


def _url(text: str, *schemes: str) -> None:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            f"it is not a URL that begins with {schemes[0]}:// (is a character of the password unescaped?)"
        )


def _database(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    _url(url, "postgresql", "postgres")
    try:
        parse_dsn(url)
    except (psycopg2.ProgrammingError, ValueError):
        raise ValueError("Postgres cannot read it (is a character of the password unescaped?)") from None
    return secret


def _redis(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    _url(url, "redis", "rediss", "unix")
    from redis import ConnectionPool  # slow to import, and many commands need no Redis

    try:
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, AttributeError):
        raise ValueError("the client of Redis cannot read it, or knows no such option") from None
    return secret


def _endpoint(*schemes: str) -> AfterValidator:
    return AfterValidator(lambda text: _address(text, *schemes))


def _address(text: str, *schemes: str) -> str:
    _url(text, *schemes)
    host = urlsplit(text).netloc.rpartition("@")[2]
    if not (text.isascii() and text.isprintable()) or " " in text or host_of(host) is None:
        raise ValueError("it is not an address: a host is missing, or a character is unescaped")
    return text


def _webhook(url: SecretStr) -> SecretStr:
    _address(url.get_secret_value(), "https", "http")
    return url


Text = Annotated[str, BeforeValidator(_filled)]
UserPath = Annotated[Path, BeforeValidator(_path)]
"""``~`` is the user's home."""
Host = Annotated[Text, AfterValidator(_host)]
AnsweredName = Annotated[Text, AfterValidator(_answered_name)]
Origin = Annotated[Text, AfterValidator(_origin)]
Network = Annotated[Text, AfterValidator(_network)]
Percent = Annotated[Text, AfterValidator(_percent)]
Notional = Annotated[Text, AfterValidator(_notional)]
"""An amount of USDC."""
Account = Annotated[Text, AfterValidator(_account)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
RpcUrl = Annotated[str, _endpoint("https", "http")]
RpcWebsocketUrl = Annotated[str, _endpoint("wss", "ws")]
WebhookUrl = Annotated[SecretStr, AfterValidator(_webhook)]
"""A URL that is secret, because its path often contains a key."""
KeptDays = Annotated[int | None, AfterValidator(_kept_days)]
Seconds = Annotated[float, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False)]
Listed = BeforeValidator(_listed)
"""For tuples: ``Annotated[tuple[Text, ...], NoDecode, Listed]`` is written ``a,b``, or as JSON."""
JsonObject = Annotated[dict[str, Any], NoDecode, BeforeValidator(_object)]
