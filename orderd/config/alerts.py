"""The file of receivers (``ORDERD_ALERTS``): which receiver gets which alerts, how, and the limits of conditions.

It holds secrets, so other users must not be able to read it, and no error shows a value of it.
"""

import base64
import stat
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    TypeAdapter,
    ValidationError,
)

from orderd.config.loading import ConfigurationError
from orderd.config.settings import Settings
from orderd.config.values import MAX_NUMBER, WebhookUrl
from orderd.domain.alerts import AlertKind
from orderd.domain.errors import OrderdError
from orderd.domain.money import parse_amount
from orderd.domain.text import text_of
from orderd.domain.tokens import Token
from orderd.domain.well_known import registry_of

SECRET_PREFIX: Final = "whsec_"
"""How the secret of a webhook begins, by https://www.standardwebhooks.com."""
_MIN_SECRET_BYTES: Final = 24
_OTHERS_MAY: Final = 0o077
ALL_KINDS: Final = frozenset(AlertKind) - {AlertKind.TEST}


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(SECRET_PREFIX) or len(key) < _MIN_SECRET_BYTES:
        raise ValueError(f"it is not {SECRET_PREFIX} and {_MIN_SECRET_BYTES} bytes or more in base64")
    return secret


class _Receiver(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    events: frozenset[AlertKind] = ALL_KINDS
    """The alerts that the receiver gets. If not given, it gets all."""


class WebhookReceiver(_Receiver):
    """A program that takes signed HTTP requests, one per alert."""

    webhook: WebhookUrl
    secret: Annotated[SecretStr, AfterValidator(_secret)]
    per_minute: int = Field(600, ge=1, le=60_000)
    """Maximum number of requests per minute; further alerts wait."""


class AppriseReceiver(_Receiver):
    """A chat, mailbox or phone, by one of Apprise's addresses. Alerts that are due at the same time are one message."""

    apprise: SecretStr = Field(min_length=1)
    per_minute: int = Field(6, ge=1, le=600)
    """Maximum number of messages per minute; further alerts wait, and then come in one message."""


def _kind_of(value: Any) -> Literal["webhook", "people"]:  # noqa: ANN401  (any TOML)
    return "people" if isinstance(value, dict) and "apprise" in value else "webhook"


Receiver = Annotated[
    Annotated[WebhookReceiver, Tag("webhook")] | Annotated[AppriseReceiver, Tag("people")], Discriminator(_kind_of)
]
ReceiverName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class AlertSettings(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    receivers: dict[ReceiverName, Receiver] = Field(min_length=1)
    balance_low: dict[str, str] = {"SOL": "0.05"}
    """The minimum balance per token; below it the wallet holds too little."""
    stop_cannot_sell_seconds: int = Field(15, ge=1, le=MAX_NUMBER)
    """How long a stop may take from the moment it fires until it has sold."""
    endpoint_lagging_seconds: int = Field(30, ge=1, le=MAX_NUMBER)
    """How long the chain's endpoint may be unavailable, or show no new slot."""

    @property
    def kinds(self) -> frozenset[AlertKind]:
        """The alerts that at least one receiver gets."""
        return frozenset[AlertKind]().union(*(receiver.events for receiver in self.receivers.values()))


_FILE: Final = TypeAdapter(AlertSettings)


def load_alerts(settings: Settings) -> AlertSettings | None:
    """The receivers and their alerts; None if there are none. Raises one ConfigurationError for all faults."""
    if settings.alerts is None:
        return None
    path = settings.alerts
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        found = tomllib.loads(text_of(path.read_bytes()))
    except OSError as error:
        raise ConfigurationError(f"ORDERD_ALERTS={path}: it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not a valid TOML: {error}") from None
    if mode & _OTHERS_MAY:
        raise ConfigurationError(
            f"others may read {path}, which holds secrets (mode {mode:04o}); run: chmod 600 {path}"
        )
    try:
        alerts = _FILE.validate_python(found)
    except ValidationError as error:
        faults = [
            _fault_text(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("\n".join(f"{path}, {fault}" for fault in faults)) from None
    if faults := [*_faults(alerts, settings, path)]:
        raise ConfigurationError("\n".join(faults))
    return alerts


def required_alerts(settings: Settings) -> AlertSettings:
    """The receivers and their alerts. Raises ConfigurationError if there are none, and as ``load_alerts`` does."""
    alerts = load_alerts(settings)
    if alerts is None:
        raise ConfigurationError(
            "there is no receiver of alerts: set ORDERD_ALERTS to a file of receivers, see docs/alarms.md"
        )
    return alerts


def least_balances(alerts: AlertSettings, settings: Settings) -> list[tuple[Token, int]]:
    """The minimum balance per token, in base units. Raises OrderdError TOKEN_* or AMOUNT_*."""
    tokens = registry_of(settings.chain)
    found = []
    for name, least in alerts.balance_low.items():
        token = tokens.resolve(name)
        found.append((token, parse_amount(least, token.decimals)))
    return found


def _faults(alerts: AlertSettings, settings: Settings, path: Path) -> list[str]:
    faults = []
    try:
        least_balances(alerts, settings)
    except OrderdError as error:
        faults.append(f"{path}, balance_low: {error.detail}")
    apprise_names = [name for name, receiver in alerts.receivers.items() if isinstance(receiver, AppriseReceiver)]
    if apprise_names and find_spec("apprise") is None:
        faults.append(
            f"{path}, receivers.{apprise_names[0]}: apprise is not installed; run: pip install 'orderd[alerts]'"
        )
    return faults


def _fault_text(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in location if part not in ("webhook", "people") or part == location[-1])
    return f"{where or 'the file'}: {message.removeprefix('Value error, ')}"
