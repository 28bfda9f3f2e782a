"""Both protocols over TLS on one port, with a certificate that is renewed while the port is open."""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trustme
from websockets.asyncio.client import connect

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.port import new_connection
from orderd.gateway.port.tls import Certificate
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client that trusts only the authority."""
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@pytest.fixture
def settings(settings: Settings, authority: trustme.CA, tmp_path: Path) -> Settings:
    chain, key = _issue(authority, tmp_path)
    return settings.model_copy(update={"tls_cert": chain, "tls_key": key})


def _issue(authority: trustme.CA, directory: Path) -> tuple[Path, Path]:
    """Write a new certificate for this machine's names into the directory."""
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain, key = directory / "cert.pem", directory / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return chain, key


async def _fingerprint(rig: Rig, trusting: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection("127.0.0.1", rig.port, ssl=trusting)
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return certificate


async def test_http_and_websocket_are_served_over_tls(rig: Rig, trusting: ssl.SSLContext) -> None:
    async with httpx.AsyncClient(verify=trusting, trust_env=False) as http:
        base = f"https://localhost:{rig.port}"
        assert (await http.get(f"{base}/health")).status_code == 200
        placed = await http.post(f"{base}/api/orders", json={"token_in": "SOL", "token_out": "USDC", "amount_in": "1"})
        assert placed.status_code == 201
    async with connect(f"wss://localhost:{rig.port}/", ssl=trusting, compression=None, proxy=None) as websocket:
        await websocket.send('{"jsonrpc":"2.0","id":1,"method":"orders.list"}')
        assert len(json.loads(await websocket.recv())["result"]["orders"]) == 1


async def test_large_answers_and_messages_arrive_complete(rig: Rig, trusting: ssl.SSLContext) -> None:
    async with connect(f"wss://127.0.0.1:{rig.port}/", ssl=trusting, compression=None, proxy=None) as websocket:
        call = {"jsonrpc": "2.0", "id": "x" * 200, "method": "tokens", "padding": "y" * 60_000}
        await websocket.send("[" + ",".join([json.dumps(call)]) + "]")
        (answer,) = json.loads(await websocket.recv())
        assert answer["id"] == "x" * 200
        await websocket.send("[" + ",".join(['{"jsonrpc":"2.0","id":1,"method":"tokens"}'] * 100) + "]")
        assert len(json.loads(await websocket.recv())) == 100


async def test_a_client_that_does_not_trust_the_authority_cannot_connect(rig: Rig, trusting: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", rig.port, ssl=ssl.create_default_context())
    assert await _fingerprint(rig, trusting)
    assert rig.gateway._port._context.caps._count <= 1, "the one that has just left, at most"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_current_tls_versions_are_accepted(rig: Rig, trusting: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    trusting.minimum_version = trusting.maximum_version = version
    assert await _fingerprint(rig, trusting)


@pytest.mark.parametrize(
    ("ciphers", "is_spoken"),
    [
        ("ECDHE+AESGCM", True),
        ("ECDHE+CHACHA20", True),
        ("ECDHE+AES:!AESGCM:!AESCCM", False),
        ("kRSA+AESGCM", False),
        ("DHE+AESGCM", False),
    ],
)
async def test_tls_1_2_is_accepted_only_with_modern_ciphers(
    rig: Rig, trusting: ssl.SSLContext, ciphers: str, is_spoken: bool
) -> None:
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers(ciphers)
    if is_spoken:
        assert await _fingerprint(rig, trusting)
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _fingerprint(rig, trusting)


@pytest.mark.parametrize("first", ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n", "x"])
async def test_a_client_without_tls_gets_an_explanation(rig: Rig, first: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(first.encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 This Port Speaks TLS: Use https:// Or wss://\r\n")
    writer.close()


@pytest.mark.parametrize("beginning", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"])
async def test_a_handshake_that_never_ends_times_out(
    rig: Rig, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(new_connection, "FIRST_REQUEST_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(beginning)
    async with asyncio.timeout(10):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.transport.abort()
    monkeypatch.undo()
    assert await _fingerprint(rig, trusting)
    assert rig.gateway._port._context.caps._count <= 1, "the one that has just left, at most"


async def test_noise_after_a_client_hello_ends_only_its_connection(rig: Rig, trusting: ssl.SSLContext) -> None:
    for noise in (b"\x16" * 5_000, b"\x16\x03\x01\x00\x05" + b"\xff" * 100, b"\x16" + bytes(range(256)) * 20):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(noise)
        async with asyncio.timeout(10):
            with suppress(ConnectionResetError):
                await reader.read()
        writer.transport.abort()
    assert await _fingerprint(rig, trusting)


async def test_a_renewed_certificate_is_used_for_new_connections_and_old_ones_stay_open(
    rig: Rig, settings: Settings, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    certificate = rig.gateway._certificate
    assert certificate is not None
    assert settings.tls_cert is not None
    before = await _fingerprint(rig, trusting)
    async with connect(f"wss://127.0.0.1:{rig.port}/", ssl=trusting, compression=None, proxy=None) as websocket:
        _issue(authority, settings.tls_cert.parent)
        certificate.refresh()
        assert await _fingerprint(rig, trusting) != before
        await websocket.send('{"jsonrpc":"2.0","id":1,"method":"tokens"}')
        assert b"result" in await websocket.recv(decode=False)


async def test_mismatched_files_leave_the_old_certificate_in_use(
    rig: Rig, settings: Settings, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    certificate = rig.gateway._certificate
    assert certificate is not None
    assert settings.tls_cert is not None
    assert settings.tls_key is not None
    before = await _fingerprint(rig, trusting)
    key = settings.tls_key.read_bytes()
    _issue(authority, settings.tls_cert.parent)
    settings.tls_key.write_bytes(key)
    with pytest.raises(OrderdError) as refused:
        certificate.refresh()
    assert refused.value.code is ErrorCode.SERVICE_CERTIFICATE
    assert await _fingerprint(rig, trusting) == before


async def test_unusable_files_are_named(tmp_path: Path) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    with pytest.raises(OrderdError, match=r"cert\.pem.*No such file"):
        Certificate(chain, key)
    chain.write_text("no certificate")
    key.write_text("no key")
    with pytest.raises(OrderdError) as refused:
        Certificate(chain, key)
    assert refused.value.code is ErrorCode.SERVICE_CERTIFICATE
