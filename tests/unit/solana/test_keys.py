"""The wallet file: created private, refused if others can read it, and never shown."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from orderd.solana.keys import Wallet, WalletError, create_wallet, load_wallet


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "wallet.json"


def test_a_new_wallet_is_private_and_is_read_back(path: Path) -> None:
    os.umask(os.umask(0o000))  # the file mode must not depend on the umask
    created = create_wallet(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_wallet(path).address == created.address


def test_the_file_has_the_format_of_the_solana_cli(path: Path) -> None:
    created = create_wallet(path)
    secret = json.loads(path.read_text())
    assert len(secret) == 64
    assert Keypair.from_bytes(bytes(secret)).pubkey() == created.address


def test_an_existing_wallet_is_never_overwritten(path: Path) -> None:
    create_wallet(path)
    before = path.read_bytes()
    with pytest.raises(WalletError, match="exists already"):
        create_wallet(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o700])
def test_a_wallet_readable_by_others_is_refused(path: Path, mode: int) -> None:
    create_wallet(path)
    path.chmod(mode)
    with pytest.raises(WalletError, match="chmod 600"):
        load_wallet(path)


def test_a_wallet_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_wallet(path)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(WalletError, match="chown"):
        load_wallet(path)


def test_a_link_is_not_followed(path: Path) -> None:
    create_wallet(path)
    link = path.with_name("link.json")
    link.symlink_to(path)
    with pytest.raises(WalletError, match="cannot be opened"):
        load_wallet(link)
    with pytest.raises(WalletError, match="exists already"):
        create_wallet(link)


def test_a_directory_is_not_a_wallet(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="not a regular file"):
        load_wallet(tmp_path)


def test_a_missing_wallet_is_reported_with_how_to_create_one(path: Path) -> None:
    with pytest.raises(WalletError, match="solana-keygen new"):
        load_wallet(path)


def test_an_unwritable_path_of_a_wallet_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WalletError, match="cannot be created"):
        create_wallet(tmp_path / "file" / "wallet.json")


DAMAGED = {
    "empty": lambda _: "",
    "text": lambda _: "not json",
    "short": lambda secret: json.dumps(secret[:63]),
    "no byte": lambda secret: json.dumps([256, *secret[1:]]),
    "no number": lambda secret: json.dumps(["1", *secret[1:]]),
    "halves differ": lambda secret: json.dumps([*secret[:40], secret[40] ^ 1, *secret[41:]]),
    "object": lambda secret: json.dumps({"key": secret}),
    "number": lambda _: "64",
    "deep": lambda _: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_wallet_is_refused_without_showing_its_content(
    path: Path, damage: Callable[[list[int]], str]
) -> None:
    create_wallet(path)
    secret = json.loads(path.read_text())
    path.write_text(damage(secret))
    with pytest.raises(WalletError, match="not a keypair file") as error:
        load_wallet(path)
    assert f"{secret[0]}, {secret[1]}" not in str(error.value)
    assert error.value.__context__ is None


def test_a_wallet_shows_only_its_address() -> None:
    keypair = Keypair()
    wallet = Wallet(keypair)
    assert repr(wallet) == str(wallet) == f"Wallet({keypair.pubkey()})"
    assert wallet.sign(b"message").verify(wallet.address, b"message")


def test_a_wallet_with_a_byte_order_mark_is_read(path: Path) -> None:
    created = create_wallet(path)
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert load_wallet(path).address == created.address


@given(
    content=st.binary()
    | st.lists(st.integers() | st.floats(), min_size=64, max_size=64).map(lambda all_: json.dumps(all_).encode())
)
def test_any_content_is_a_wallet_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("wallet") / "wallet.json"
    path.touch(0o600)
    path.write_bytes(content)
    with suppress(WalletError):
        load_wallet(path)


def test_a_process_with_a_key_writes_no_core_dump(path: Path) -> None:
    create_wallet(path)
    look = (
        "import ctypes, resource, sys; from pathlib import Path; from orderd.solana.keys import load_wallet;"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2);"
        "load_wallet(Path(sys.argv[1]));"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", look, path], capture_output=True, text=True, check=True)
    assert done.stdout == "0 (0, 0)\n"
