"""A short ``make proof``, where this machine lets us make hosts."""

import os
import shutil
import subprocess
import sys

import pytest

ORDERS = "24"


def can_make_hosts() -> bool:
    """It takes root, and iproute2's ``ip``."""
    if not all(map(shutil.which, ("unshare", "ip", "setpriv", "mount"))):
        return False
    bridged = ["unshare", "--net", "--mount", "ip", "link", "add", "br0", "type", "bridge"]
    return subprocess.run(bridged, check=False, capture_output=True).returncode == 0


@pytest.mark.timeout(300)
@pytest.mark.skipif(not can_make_hosts(), reason="hosts of its own need root, network namespaces and iproute2")
def test_a_cluster_of_hosts_keeps_its_promises_for_a_few_orders() -> None:
    # A dozen busy processes: without `nice` they keep the tests that run beside them from answering in time.
    run = subprocess.run(
        ["nice", "-n", "10", "unshare", "--net", "--mount", sys.executable, "-m", "tests.proof"],
        env={**os.environ, "ORDERS": ORDERS, "SEED": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "all of it holds" in run.stdout
