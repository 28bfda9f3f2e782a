"""orderctl and a daemon with TLS, whose certificate is issued by an authority that only they know."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from orderd.process.temporary import running_daemon
from tests.conftest import QUICK


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, str]:
    """TLS settings of the daemon; ``ca.pem`` in ``tmp_path`` is the authority's certificate."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    for part in issued.cert_chain_pems:
        part.write_to_path(str(tmp_path / "cert.pem"), append=True)
    return {"ORDERD_TLS_CERT": str(tmp_path / "cert.pem"), "ORDERD_TLS_KEY": str(tmp_path / "key.pem")}


def orderctl(url: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("orderctl"), "--url", url, *arguments],
        env={**os.environ, "ORDERCTL_CONFIG": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_orders_are_traded_over_tls_and_an_unknown_authority_is_refused(
    tmp_path: Path, certificates: dict[str, str], given_database: dict[str, str]
) -> None:
    state_dir = tmp_path / "daemon"
    state_dir.mkdir()
    with running_daemon(state_dir, QUICK | given_database | certificates) as daemon:
        assert daemon.url.startswith("wss://127.0.0.1:")
        traded = orderctl(daemon.url, "--ca", str(tmp_path / "ca.pem"), "submit", "SOL", "USDC", "0.1", "-o", "id")
        listed = orderctl(daemon.url, "list", "-o", "id", ORDERCTL_CA=str(tmp_path / "ca.pem"))
        strange = orderctl(daemon.url, "status")
        plain = orderctl(daemon.url.replace("wss:", "ws:"), "status")
        empty = orderctl(daemon.url, "--ca", certificates["ORDERD_TLS_KEY"], "status")
    assert traded.returncode == 0, traded.stderr
    assert listed.stdout == traded.stdout
    assert (strange.returncode, plain.returncode, empty.returncode) == (3, 3, 2)
    assert "its certificate is not trusted" in strange.stderr
    assert "next: name the CA of the certificate: --ca FILE" in strange.stderr
    assert "next: write wss:// instead of ws://" in plain.stderr
    assert "contains no certificates" in empty.stderr
