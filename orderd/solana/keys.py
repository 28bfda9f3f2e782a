"""The wallet: a keypair file in the Solana CLI's format (a JSON array of 64 bytes), which only its owner may read."""

import ctypes
import os
import resource
import stat
from pathlib import Path
from typing import Protocol

import orjson
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.text import text_of
from orderd.embedded.environment import CREDENTIALS

_SECRET_BYTES = 64
_PR_SET_DUMPABLE = 4
_libc = ctypes.CDLL(None, use_errno=True)
_MAX_BYTES = 4096


class WalletError(OrderdError):
    """The wallet file is missing, accessible to others or damaged. The message says which, and what to do, and never
    holds the key."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.SERVICE_WALLET, detail)


class Signer(Protocol):
    """An address, and a way to sign for it."""

    @property
    def address(self) -> Pubkey: ...
    def sign(self, message: bytes) -> Signature:
        """Sign a message. Raises WalletError if this process does not have the key."""
        ...


class WatchedWallet:
    """The address of a wallet whose key only other processes have. It cannot sign."""

    __slots__ = ("address",)

    def __init__(self, address: Pubkey) -> None:
        self.address = address

    def sign(self, message: bytes) -> Signature:  # noqa: ARG002
        raise WalletError(f"this process does not have the key of {self.address}: only workers sign")


class Wallet:
    """A wallet's keypair. The keypair stays in this class, because its repr in solders shows the secret."""

    __slots__ = ("_keypair", "address")

    def __init__(self, keypair: Keypair) -> None:
        _leave_no_dump()
        self._keypair = keypair
        self.address: Pubkey = keypair.pubkey()

    def sign(self, message: bytes) -> Signature:
        return self._keypair.sign_message(message)

    def __repr__(self) -> str:
        return f"Wallet({self.address})"


def load_address(path: Path) -> Pubkey:
    """The address of a wallet; the key is not kept. Raises the errors of ``load_wallet``."""
    return load_wallet(path).address


def load_wallet(path: Path) -> Wallet:
    """Read the wallet. Raises WalletError, also if other users may read or change the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise WalletError(
            f"no wallet at {path}; copy it there, or create one with: solana-keygen new --outfile {path}"
        ) from None
    except OSError as error:
        raise WalletError(f"the wallet {path} cannot be opened: {error.strerror}") from error
    try:
        _check_access(path, os.fstat(descriptor))
        content = os.read(descriptor, _MAX_BYTES)
    finally:
        os.close(descriptor)
    return _parse(path, content)


def create_wallet(path: Path) -> Wallet:
    """Create a new keypair and its file, mode 0600. Raises WalletError; an existing file is never overwritten."""
    keypair = Keypair()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WalletError(f"the wallet {path} cannot be created: {error.strerror}") from error
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise WalletError(f"{path} exists already; move it away, or use it") from None
    except OSError as error:
        raise WalletError(f"the wallet {path} cannot be created: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(list(bytes(keypair))))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)  # half a key is useless, and its address has not been shown
        raise WalletError(f"the wallet {path} cannot be written: {error.strerror}") from error
    return Wallet(keypair)


def _leave_no_dump() -> None:
    """Prevent core dumps of this process, and reads of its memory by other processes of this user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _check_access(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise WalletError(f"the wallet {path} is not a regular file")
    if str(path.parent) == os.environ.get(CREDENTIALS):
        return  # the file belongs to the service manager, and only this unit can access the directory
    if status.st_uid != os.geteuid():
        raise WalletError(f"the wallet {path} belongs to user {status.st_uid}; run: chown {os.geteuid()} {path}")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o177:
        raise WalletError(f"others may use the wallet {path} (mode {mode:04o}); run: chmod 600 {path}")


def _parse(path: Path, content: bytes) -> Wallet:
    """Parse the file, and check the key against its public half. Errors never contain parts of the content."""
    try:
        secret = orjson.loads(text_of(content))
        if isinstance(secret, list) and len(secret) == _SECRET_BYTES:
            return Wallet(Keypair.from_bytes(bytes(secret)))
    except (ValueError, TypeError):
        pass
    raise WalletError(f"the wallet {path} is not a keypair file: a JSON array of {_SECRET_BYTES} bytes is expected")
