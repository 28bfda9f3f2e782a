"""The file of receivers: its content, and errors that contain no secrets."""

from pathlib import Path

import pytest

from orderd.config.alerts import ALL_KINDS, AppriseReceiver, WebhookReceiver, load_alerts
from orderd.config.loading import ConfigurationError
from orderd.config.settings import Settings
from orderd.domain.alerts import AlertKind
from tests.receiver import SECRET

BOT = f'[receivers.bot]\nwebhook = "https://bot.example/key-in-path"\nsecret = "{SECRET}"\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(alerts=tmp_path / "alerts.toml")


def write(settings: Settings, text: str, mode: int = 0o600) -> Settings:
    assert settings.alerts is not None
    settings.alerts.write_text(text)
    settings.alerts.chmod(mode)
    return settings


def test_there_are_no_receivers_without_a_file() -> None:
    assert load_alerts(Settings()) is None


def test_receivers_get_all_kinds_of_alerts_by_default(settings: Settings) -> None:
    phone = '[receivers.phone]\napprise = "json://localhost"\nevents = ["failed", "halted"]\n'
    found = load_alerts(write(settings, BOT + phone))
    assert found is not None
    assert isinstance(found.receivers["bot"], WebhookReceiver)
    assert isinstance(found.receivers["phone"], AppriseReceiver)
    assert found.receivers["bot"].events == ALL_KINDS
    assert found.receivers["phone"].events == {AlertKind.FAILED, AlertKind.HALTED}
    assert found.kinds == ALL_KINDS
    assert (SECRET in repr(found), "key-in-path" in repr(found)) == (False, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "receivers: Field required"),
        ("[receivers]", "receivers: Dictionary should have at least 1 item"),
        ("[receivers.bot", "is not a valid TOML"),
        (BOT + 'events = ["fills"]', "receivers.bot.events.0: Input should be 'filled'"),
        (BOT.replace(SECRET, "hunter2-hunter2"), "it is not whsec_ and 24 bytes or more in base64"),
        (BOT.replace("https", "ftp"), "it is not a URL that begins with https://"),
        (BOT + "colour = 1", "receivers.bot.colour: Extra inputs"),
        ('balance_low = { NONE = "1" }\n' + BOT, "balance_low: "),
        ('balance_low = { SOL = "much" }\n' + BOT, "balance_low: "),
        (BOT.replace("receivers.bot", "receivers.'a b'"), "receivers.a b"),
        ('[receivers.phone]\napprise = ""', "receivers.phone.apprise"),
    ],
)
def test_an_error_is_reported_with_its_place_and_without_its_value(settings: Settings, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_alerts(write(settings, text))
    assert said in error.value.detail
    assert "hunter2" not in error.value.detail
    assert "key-in-path" not in error.value.detail


def test_a_file_readable_by_others_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_alerts(write(settings, BOT, 0o640))


def test_a_missing_file_is_reported(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match=r"ORDERD_ALERTS=.*alerts\.toml: it cannot be read"):
        load_alerts(settings)


def test_a_missing_apprise_is_reported_with_how_to_install_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderd.config.alerts.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'orderd\[alerts\]'"):
        load_alerts(write(settings, '[receivers.phone]\napprise = "json://localhost"\n'))
