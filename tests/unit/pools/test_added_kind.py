"""A pool kind is added by its folder and one line, without changes elsewhere.

The tree is copied, an imaginary kind's folder is added, and its member is put into ``PoolKind``. ``trading_it`` reports
what then works there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import orderd

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).with_name("constant_sum")
LAST_MEMBER = '    METEORA_DAMM_V2 = "meteora_damm_v2"\n'
THE_LINE = '    CONSTANT_SUM = "constant_sum"\n'


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a user of a tree with the imaginary kind sees."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(Path(orderd.__path__[0]), tree / "orderd")
    shutil.copytree(FOLDER, tree / "orderd/pools" / FOLDER.name)
    kinds = tree / "orderd/domain/pool_kind.py"
    before = kinds.read_text()
    assert before.count(LAST_MEMBER) == 1
    kinds.write_text(before.replace(LAST_MEMBER, LAST_MEMBER + THE_LINE))
    # Before the installed packages; the tests are those of this tree.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (tree, ROOT)))
    ran = subprocess.run(
        [sys.executable, "-m", "tests.unit.pools.trading_it"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_an_added_kind_is_quoted(seen: dict[str, Any]) -> None:
    assert seen["quoted"] == {seen["pool"]: 309_000_000}, "3 SOL at 103 USDC"


def test_an_added_kind_is_routed_and_fits_into_a_transaction(seen: dict[str, Any]) -> None:
    assert seen["routed"] == [["constant_sum", seen["pool"]]]
    assert seen["fits"]


def test_the_local_chain_executes_a_swap_of_an_added_kind(seen: dict[str, Any]) -> None:
    assert seen["refused"] is None
    assert seen["paid"] == seen["promised"] == 309_000_000


def test_errors_of_an_added_kind_are_explained(seen: dict[str, Any]) -> None:
    assert seen["too much asked"] == {"code": "TX_SLIPPAGE_EXCEEDED", "name": "TooLittlePaid", "lasts": False}


@pytest.mark.parametrize("fault", ["pool refuses", "venue away"])
def test_simnets_faults_affect_an_added_kind(seen: dict[str, Any], fault: str) -> None:
    assert seen[fault] == {"code": "POOL_CLOSED", "name": "PoolIsClosed", "lasts": True}


def test_simnets_market_trades_an_added_kind(seen: dict[str, Any]) -> None:
    assert seen["in the market"]


def test_an_added_kind_is_traded_only_on_the_local_chain_by_default(seen: dict[str, Any]) -> None:
    assert "constant_sum" in seen["traded"]["simnet"]
    assert "constant_sum" not in seen["traded"]["devnet"]
    assert "constant_sum" not in seen["traded"]["mainnet"]
    assert seen["named"] == ["constant_sum"]


def test_an_added_kind_cannot_be_configured_without_its_program(seen: dict[str, Any]) -> None:
    assert seen["named on mainnet"] == ("pool_kinds names constant_sum, whose program is not on mainnet: leave it out")
