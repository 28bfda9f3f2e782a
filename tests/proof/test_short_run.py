"""A short ``make proof``, on machines that permit network namespaces."""

import os
import shutil
import subprocess
import sys

import pytest

ORDERS = "24"


def can_create_hosts() -> bool:
    """Whether this process is root and has ``unshare``, ``setpriv``, ``mount`` and iproute2's ``ip``."""
    if not all(map(shutil.which, ("unshare", "ip", "setpriv", "mount"))):
        return False
    bridged = ["unshare", "--net", "--mount", "ip", "link", "add", "br0", "type", "bridge"]
    return subprocess.run(bridged, check=False, capture_output=True).returncode == 0


@pytest.mark.timeout(300)
@pytest.mark.skipif(not can_create_hosts(), reason="the hosts need root, network namespaces and iproute2")
def test_a_cluster_of_hosts_keeps_its_promises_for_a_few_orders() -> None:
    # Without `nice`, a dozen busy processes cause timeouts in tests that run at the same time.
    run = subprocess.run(
        ["nice", "-n", "10", "unshare", "--net", "--mount", sys.executable, "-m", "tests.proof"],
        env={**os.environ, "ORDERS": ORDERS, "SEED": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout.splitlines()
