"""The public names of the client library, and the example programs in the documents that use them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from orderd import client
from orderd.client.connection import Client
from orderd.client.link import Link

PUBLIC = (
    *("AnswerLostError", "AsyncClient", "Client", "ClientError", "Closed", "ConfigError", "Endpoint"),
    *("FollowTimeoutError", "Fresh", "Lost", "Method", "News", "Opened", "RefusedError", "Resumed", "Stale"),
    *("UnexpectedError", "UnreachableError", "UnreadableError", "Update", "params_of"),
)
"""Public names: names may be added, and none removed."""


def test_the_public_names_are_exported() -> None:
    assert sorted(client.__all__) == sorted(PUBLIC)
    assert (client.Client, client.AsyncClient) == (Client, Link)
    for name in PUBLIC:
        assert getattr(client, name) is not None


def test_no_other_names_are_exported() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        client.Nothing  # noqa: B018


def test_no_name_is_loaded_before_it_is_used() -> None:
    script = "import sys, orderd.client; print('pydantic' in sys.modules, 'websockets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False False\n"


def program() -> str:
    """The first block of Python in the API document."""
    text = (Path(__file__).parents[3] / "docs/api.md").read_text()
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_program_has_ten_lines() -> None:
    assert len([line for line in program().splitlines() if line.strip()]) <= 10
