"""Settings that the TUI remembers, and custom key bindings."""

from pathlib import Path

import pytest

from orderctl.tui.keymap import binding_ids, read_keymap
from orderctl.tui.remembered import Memory, ScreenLayout
from orderd.client.errors import ConfigError


def test_remembered_settings_are_loaded_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "state" / "screen.json"
    Memory(path).keep(theme="nord", tab="fills", chart=False, words="sol open")
    assert Memory(path).layout == ScreenLayout(theme="nord", tab="fills", chart=False, words="sol open")


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"theme": 3, "tab": null, "chart": "yes", "future": 1}'])
def test_an_invalid_file_is_ignored(tmp_path: Path, text: str) -> None:
    path = tmp_path / "screen.json"
    path.write_text(text)
    assert Memory(path).layout == ScreenLayout()


def test_an_unwritable_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "screen.json")
    memory.keep(tab="open")
    assert memory.layout.tab == "open"


def test_keys_are_assigned_by_binding_id(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    assert read_keymap(path, lambda: ["cancel"]) == {}
    path.write_text('cancel = "x"\nquit = "ctrl+q,Q"\n')
    assert read_keymap(path, lambda: ["cancel", "quit"]) == {"cancel": "x", "quit": "ctrl+q,Q"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('cancle = "x"', "there is no binding 'cancle'; did you mean cancel?"),
        ("cancel = 3", "cancel must be a key in quotes"),
        ("cancel", "="),
    ],
)
def test_an_invalid_keymap_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r".*") as caught:
        read_keymap(path, lambda: ["cancel", "quit"])
    assert message in caught.value.detail


def test_every_binding_has_a_unique_id() -> None:
    from orderctl.tui import app  # noqa: F401  (which loads all screens)

    assert {"cancel", "new", "tab-fills", "zoom-in", "command", "pause", "export", "open"} <= binding_ids()
