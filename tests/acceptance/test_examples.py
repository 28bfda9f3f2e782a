"""The programs in examples/ and the requests of the Postman collection work as a user runs them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from docs.postman import FILE, PROMISED, written
from orderd.process.temporary import Daemon, running_daemon
from tests.conftest import QUICK

EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = 60


@cache
def has_ws() -> bool:
    """True if Node and the module ``ws`` are installed."""
    if shutil.which("node") is None:
        return False
    asked = ["node", "-e", "require('ws'); process.exit(typeof fetch === 'function' ? 0 : 1)"]
    return subprocess.run(asked, cwd=EXAMPLES, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    with running_daemon(tmp_path_factory.mktemp("daemon"), QUICK | shared_database) as daemon:
        yield daemon


def http_url(daemon: Daemon) -> str:
    return f"http://{urlsplit(daemon.url).netloc}"


def command(program: str, daemon: Daemon) -> list[str]:
    if program == "order.sh":
        return ["bash", str(EXAMPLES / program), http_url(daemon)]
    if program == "order.py":
        return [sys.executable, str(EXAMPLES / program), daemon.url]
    if not has_ws():
        pytest.skip("Node with the module ws is not installed")
    return ["node", str(EXAMPLES / program), http_url(daemon)]


def run(words: Sequence[str]) -> list[str]:
    """The lines that a program prints; it must exit with 0."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_curl_example_quotes_and_submits_an_order_that_is_filled_once(daemon: Daemon) -> None:
    quote, submitted, again, ended = map(json.loads, run(command("order.sh", daemon)))
    assert quote["chosen"]["venue"] in ("raydium", "meteora")
    assert (submitted["created"], again["created"]) == (True, False)
    assert submitted["order"]["id"] == again["order"]["id"] == ended["order"]["id"]
    assert ended["order"]["status"] == "confirmed"


def test_the_python_example_prints_each_event_of_an_order(daemon: Daemon) -> None:
    lines = [line.split(" ", 2) for line in run(command("order.py", daemon))]
    assert [int(seq) for seq, _, _ in lines] == [1, 2, 3, 4, 5]
    assert [status for _, status, _ in lines] == ["pending", "routing", "building", "submitted", "confirmed"]


def test_the_node_example_prints_each_update_of_an_order(daemon: Daemon) -> None:
    updates = [json.loads(line) for line in run(command("order.js", daemon))]
    assert [update["status"] for update in updates] == [
        "pending",
        "routing",
        "routing",
        "building",
        "submitted",
        "confirmed",
    ]


@pytest.mark.parametrize("program", ["order.py", "order.js"])
def test_an_example_reconnects_and_prints_no_event_twice(daemon: Daemon, program: str) -> None:
    words = command(program, daemon)
    gateway, worker = (int((daemon.log.parent / f"{role}.lock").read_text()) for role in ("gateway", "worker"))
    os.kill(worker, signal.SIGSTOP)
    try:
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                first = process.stdout.readline()
                os.kill(gateway, signal.SIGKILL)
                os.kill(worker, signal.SIGCONT)
                printed, complaint = process.communicate(timeout=SECONDS)
            finally:
                process.kill()  # otherwise the context manager would wait for it
    finally:
        os.kill(worker, signal.SIGCONT)
    lines = [first, *printed.splitlines()]
    assert process.returncode == 0, complaint
    assert complaint, "the program did not report the lost connection"
    assert "pending" in lines[0]
    assert "confirmed" in lines[-1]
    assert len(lines) == len(set(lines)) == (5 if program == "order.py" else 6)


def test_each_request_of_the_collection_gets_a_documented_answer(daemon: Daemon) -> None:
    variables = {"order": "", "baseUrl": http_url(daemon)}
    collection = json.loads(FILE.read_text())
    with httpx.Client(timeout=SECONDS) as http:
        assert FILE.read_text() == written(http.get(f"{http_url(daemon)}/openapi.json").json())
        for item in (item for folder in collection["item"] for item in folder["item"]):
            answer = http.send(http.build_request(**request_of(item["request"], variables)))
            promised = promised_of(item).get(str(answer.status_code))
            assert promised, (item["name"], answer.status_code, answer.text)
            assert answer.headers["content-type"].startswith(promised["type"]), item["name"]
            if "members" in promised:
                assert set(promised["members"]) <= answer.json().keys(), item["name"]
                assert promised.get("code", answer.json().get("code")) == answer.json().get("code"), item["name"]
            if item["name"].startswith("Submit") and answer.is_success:
                body = answer.json()
                variables["order"] = body["orderId"] if "orderId" in body else body["order"]["id"]


def promised_of(item: dict[str, Any]) -> dict[str, Any]:
    (script,) = (event["script"]["exec"] for event in item["event"] if event["listen"] == "test")
    promised: dict[str, Any] = json.loads(script[0].removeprefix(PROMISED).removesuffix(";"))
    return promised


def request_of(request: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """The request that Postman sends."""
    url = request["url"]["raw"]
    for name, value in variables.items():
        url = url.replace(f"{{{{{name}}}}}", value)
    headers = {each["key"]: each["value"] for each in request["header"] if not each.get("disabled")}
    return {
        "method": request["method"],
        "url": url,
        "headers": headers,
        "content": request.get("body", {}).get("raw"),
    }


@pytest.mark.skipif(shutil.which("newman") is None, reason="newman is not installed")
def test_newman_runs_the_collection_and_all_its_tests_pass(daemon: Daemon) -> None:
    run(["newman", "run", str(FILE), "--env-var", f"baseUrl={http_url(daemon)}", "--color", "off"])
