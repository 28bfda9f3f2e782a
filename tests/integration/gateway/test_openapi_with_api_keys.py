"""A gateway that requires API keys declares them in its OpenAPI document, and enforces what it declares."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from orderd.config.settings import Settings
from tests.integration.gateway.api_keys import issue
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio

CHECKS = "ignored_auth,not_a_server_error,status_code_conformance,response_headers_conformance"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"chain": "devnet"})


async def test_no_operation_works_without_its_declared_key(rig: Rig, tmp_path: Path) -> None:
    """schemathesis omits the key, and sends wrong keys, wherever the document requires one.

    It tries no boundary values ("coverage"): these are tried without keys, in ``tests/fuzz``.
    """
    token = await asyncio.to_thread(issue, "trade")
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *(
            "--no-color",
            "run",
            f"http://127.0.0.1:{rig.port}/openapi.json",
            "--header",
            f"Authorization: Bearer {token}",
        ),
        *("--phases", "examples,fuzzing,stateful", "--max-examples", "5", "--seed", "1"),
        *("--checks", CHECKS, "--continue-on-failure"),
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
