"""The daemon's commands besides its roles: what they do, and how they report errors."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg2
import pytest
from pyrage import passphrase
from solders.pubkey import Pubkey

from db import audit, proofs, refused_requests
from db.audit import SUBMIT, Actor, Entry
from db.connection import connect, database
from db.refused_requests import Refusal
from orderd.process.roles import ListeningRole
from orderd.process.temporary import Daemon, running_daemon
from orderd.solana.keys import create_wallet
from orderd.solana.rpc import RpcClient
from tests.conftest import QUICK, running_simnet

BIN = Path(sys.executable).parent
Orderd = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def orderd(tmp_path: Path) -> Orderd:
    """Runs a command in an empty directory, with only the given settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}

    def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BIN / "orderd", *arguments],
            env={**clean, "ORDERD_STATE_DIR": str(tmp_path / "state"), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_migrate_creates_the_tables_once(orderd: Orderd, empty_postgres_url: str) -> None:
    first = orderd("migrate", ORDERD_DATABASE_URL=empty_postgres_url)
    second = orderd("migrate", ORDERD_DATABASE_URL=empty_postgres_url)
    assert first.stdout.startswith("applied 0001_orders\n")
    assert second.stdout == "the tables are up to date\n"


def test_an_api_key_can_be_created_listed_and_revoked(orderd: Orderd, postgres_url: str) -> None:
    made = orderd("api-key", "create", "desk", "--scope", "read", ORDERD_DATABASE_URL=postgres_url)
    assert made.stdout.startswith("orderd_")
    listed = orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout
    assert listed.startswith("desk\tread\tvalid until 20")
    assert listed.endswith("\taccount desk\tnever used\tno limits\n")
    again = orderd("api-key", "create", "desk", ORDERD_DATABASE_URL=postgres_url)
    assert (again.returncode, "revoke it with: orderd api-key revoke desk" in again.stderr) == (2, True)
    assert orderd("api-key", "revoke", "desk", ORDERD_DATABASE_URL=postgres_url).returncode == 0
    assert "\trevoked 20" in orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout
    assert orderd("api-key", "revoke", "desk", ORDERD_DATABASE_URL=postgres_url).returncode == 2
    assert orderd("api-key", "create", "desk", ORDERD_DATABASE_URL=postgres_url).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--port", "0", "--port", "3000"),
        ("api-key", "create", "desk", "--days", "1", "--days", "90"),
        ("simnet", "--port", "0", "--port", "1"),
        (
            "simnet",
            "dump-transaction",
            "2nBhEBYYvfaAe16UMNqRHre4YNSskvuYgx3M6E4JP1oD",
            "--config",
            "a",
            "--config",
            "b",
        ),
    ],
)
def test_an_option_that_is_given_twice_is_refused(orderd: Orderd, arguments: tuple[str, ...]) -> None:
    refused = orderd(*arguments)

    assert refused.returncode == 2
    assert f"{arguments[-2]} is given twice" in refused.stderr


def test_an_account_remains_after_its_api_keys_are_revoked(orderd: Orderd, postgres_url: str) -> None:
    def accounts() -> list[str]:
        listed = orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout
        return [line.split("\t")[3].removeprefix("account ") for line in listed.splitlines()]

    def create(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return orderd("api-key", "create", *arguments, ORDERD_DATABASE_URL=postgres_url)

    assert create("desk").stderr == "desk belongs to the new account desk\n"
    assert create("bot", "--account", "desk").stderr == "bot belongs to the account desk\n"
    assert create("bot two", "--account", "bots").stderr == "bot two belongs to the new account bots\n"
    assert (
        create("looker", "--scope", "read", "--account", "default").stderr == "looker belongs to the account default\n"
    )
    assert accounts() == ["desk", "desk", "bots", "default"]

    for name in ("desk", "bot", "bot two"):
        assert orderd("api-key", "revoke", name, ORDERD_DATABASE_URL=postgres_url).returncode == 0
    assert create("bot").stderr == "bot belongs to the account desk\n", "the account of the last key with this name"
    assert create("bot two", "--account", "desk").stderr == "bot two belongs to the account desk\n"
    orderd("api-key", "revoke", "bot two", ORDERD_DATABASE_URL=postgres_url)
    assert create("bot two").stderr == "bot two belongs to the account desk\n"

    tokens = orderd("audit", "--action", "token.create", ORDERD_DATABASE_URL=postgres_url).stdout
    assert tokens.endswith("\tbot two: account desk; no limits\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["default"],
            "there is an account 'default', but no earlier API key of this name belonged to it; to use it, add "
            "--account default",
        ),
        (["desk", "--account", ""], "--account: '' cannot be an account's name"),
        (["desk", "--account", "d\x1b[2J"], "cannot be an account's name: it has 1 to 64 printable characters"),
        (["d" * 65], "cannot be an account's name"),
    ],
)
def test_an_api_key_joins_an_existing_account_only_if_it_is_named(
    orderd: Orderd, postgres_url: str, arguments: list[str], complaint: str
) -> None:
    refused = orderd("api-key", "create", *arguments, ORDERD_DATABASE_URL=postgres_url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert complaint in refused.stderr
    assert orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout == ""
    assert names_of_accounts(postgres_url) == ["default"]


def test_api_keys_created_concurrently_share_only_a_named_account(orderd: Orderd, postgres_url: str) -> None:
    def create(arguments: tuple[str, ...]) -> int:
        return orderd("api-key", "create", *arguments, ORDERD_DATABASE_URL=postgres_url).returncode

    together = [("desk",), ("desk",), ("one", "--account", "bots"), ("two", "--account", "bots")]
    with ThreadPoolExecutor(len(together)) as threads:
        assert sorted(threads.map(create, together)) == [0, 0, 0, 2], "two valid keys have the same name"
    assert names_of_accounts(postgres_url) == ["bots", "default", "desk"]


def names_of_accounts(url: str) -> list[str]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM accounts ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def test_the_limits_of_an_api_key_are_listed(orderd: Orderd, postgres_url: str) -> None:
    limits = ["--tokens", "usdc,SOL", "--max-notional-per-order", "99.5", "--max-notional-per-day", "1000"]
    pace = ["--requests-per-minute", "120"]
    assert orderd("api-key", "create", "bot", *limits, *pace, ORDERD_DATABASE_URL=postgres_url).returncode == 0
    listed = orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout
    assert listed.endswith(
        "\ttrades SOL,USDC; 99.5 USDC per order; 1000 USDC per day; 120 requests per minute, 20 at once\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--tokens", "SOL", "a trade needs two tokens"),
        ("--tokens", "SOL,USDX", "there is no token 'USDX'; did you mean USDC?"),
        ("--max-notional-per-day", "-1", "is not above zero"),
        ("--max-notional-per-order", "much", "is not a plain decimal number"),
        ("--burst", "5", "--burst needs --requests-per-minute"),
    ],
)
def test_invalid_limits_are_refused(orderd: Orderd, postgres_url: str, option: str, value: str, complaint: str) -> None:
    refused = orderd("api-key", "create", "bot", option, value, ORDERD_DATABASE_URL=postgres_url)
    assert refused.returncode == 2
    assert complaint in refused.stderr
    assert orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout == ""


def test_the_audit_log_records_who_created_and_revoked_an_api_key(orderd: Orderd, postgres_url: str) -> None:
    orderd("api-key", "create", "desk", ORDERD_DATABASE_URL=postgres_url)
    orderd("api-key", "revoke", "desk", ORDERD_DATABASE_URL=postgres_url)
    recorded = [
        json.loads(line) for line in orderd("audit", "--json", ORDERD_DATABASE_URL=postgres_url).stdout.splitlines()
    ]
    assert [(row["action"], row["outcome"], row["times"]) for row in recorded] == [
        ("token.create", "ok", 1),
        ("token.revoke", "ok", 1),
    ]
    assert all(row["token"].startswith("console: ") for row in recorded)
    made = orderd("audit", "--action", "token.create", "--since", "1h", ORDERD_DATABASE_URL=postgres_url).stdout
    assert made.endswith("\ttoken.create\tok\tdesk: account desk; no limits\n")
    assert made.count("\n") == 1
    assert orderd("audit", "--refused", ORDERD_DATABASE_URL=postgres_url).stdout == ""
    assert orderd("audit", "--since", "yesterday", ORDERD_DATABASE_URL=postgres_url).returncode == 2


@pytest.fixture
def busy_audit(postgres_url: str) -> str:
    """A database in which the API key desk was used two days ago and now, and a client without a key connected."""
    connect(postgres_url)
    desk = Actor("desk", "10.0.0.1")
    with database.connection_context():
        audit.record([Entry(desk, SUBMIT, order_id=UUID(int=7)), Entry(desk, SUBMIT, "LIMIT_DAY", detail="too much")])
        database.execute_sql(
            "INSERT INTO audit (at, actor, address, action, outcome) VALUES (%s, 'desk', '', 'order.cancel', 'ok')",
            (datetime.now(UTC) - timedelta(days=2),),
        )
        refused_requests.count(Counter({Refusal("10.0.0.9", "connect", "AUTH_REQUIRED"): 3}))
    database.close_all()
    return postgres_url


ALL = ["order.cancel ok", "order.submit ok", "order.submit LIMIT_DAY", "connect AUTH_REQUIRED"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ALL),
        (["--since", "1d"], ALL[1:]),
        (["--until", "1d"], ALL[:1]),
        (["--since", "3d", "--until", "1d"], ALL[:1]),
        (["--since", "2026-01-01"], ALL),
        (["--until", "2026-01-01T00:00Z"], []),
        (["--api-key", "desk"], ALL[:3]),
        (["--token", "nobody"], []),
        (["--action", "order.submit", "--outcome", "ok"], ALL[1:2]),
        (["--outcome", "LIMIT_DAY"], ALL[2:3]),
        (["--outcome", "AUTH_REQUIRED"], ALL[3:]),
        (["--refused"], ALL[2:]),
        (["--refused", "--no-strangers"], ALL[2:3]),
        (["--strangers"], ALL[3:]),
        (["--strangers", "--outcome", "ok"], []),
        (["--order", str(UUID(int=7))], ALL[1:2]),
        (["--limit", "2"], ALL[2:]),
        (["--limit", "2", "--no-strangers"], ALL[1:3]),
    ],
    ids=lambda value: " ".join(value) if value and value[0].startswith("-") else "",
)
def test_the_audit_log_is_filtered_and_shown_oldest_first(
    orderd: Orderd, busy_audit: str, options: list[str], expected: list[str]
) -> None:
    asked = orderd("audit", "--json", *options, ORDERD_DATABASE_URL=busy_audit)
    assert asked.returncode == 0, asked.stderr
    rows = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [f"{row['action']} {row['outcome']}" for row in rows] == expected


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--until", "tomorrow"], "--until tomorrow: write it like 30m, 24h, 7d or 2026-01-31T12:00Z"),
        (["--since", "1h", "--until", "2h"], "--since 1h is not before --until 2h"),
        (["--outcome", "limit_days"], "--outcome limit_days: did you mean LIMIT_DAY?"),
        (["--outcome", "no"], "--outcome no: "),
        (["--strangers", "--token", "desk"], "--strangers cannot be combined with --api-key or --order"),
    ],
)
def test_an_audit_query_that_cannot_match_is_refused(
    orderd: Orderd, postgres_url: str, options: list[str], complaint: str
) -> None:
    refused = orderd("audit", *options, ORDERD_DATABASE_URL=postgres_url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert complaint in refused.stderr


def test_the_doctor_reports_no_fault_in_a_working_setup(orderd: Orderd, empty_postgres_url: str) -> None:
    """Tables that other tests have used before may be large."""
    assert orderd("migrate", ORDERD_DATABASE_URL=empty_postgres_url).returncode == 0
    healthy = orderd("doctor", ORDERD_DATABASE_URL=empty_postgres_url)
    assert healthy.returncode == 0
    lines = [line.split("\t") for line in healthy.stdout.splitlines()]
    found = {check: (result, detail) for result, check, detail in lines}
    assert {result for result, _ in found.values()} == {"ok"}
    assert found["tables"][1].endswith(" MiB in all"), "large tables are listed as well"


def test_the_doctor_reports_everything_that_would_prevent_a_start(
    orderd: Orderd, postgres_url: str, tmp_path: Path
) -> None:
    given = {"ORDERD_HOST": "0.0.0.0", "ORDERD_DATABASE_URL": postgres_url}
    exposed = orderd("doctor", **given)
    assert (exposed.returncode, exposed.stdout.count("fail\tconfiguration\thost is 0.0.0.0")) == (1, 1)
    missing = str(tmp_path / "missing.pem")
    ill = orderd("doctor", ORDERD_TLS_CERT=missing, ORDERD_TLS_KEY=missing, **given)
    failed = [line.split("\t")[1] for line in ill.stdout.splitlines() if line.startswith("fail")]
    assert (ill.returncode, failed) == (1, ["certificate", "api keys"])
    assert "orderd api-key create NAME" in ill.stdout


def test_an_unknown_scope_is_refused(orderd: Orderd, postgres_url: str) -> None:
    refused = orderd("api-key", "create", "desk", "--scope", "everything", ORDERD_DATABASE_URL=postgres_url)
    assert refused.returncode == 2
    assert "--scope everything: use one of read, trade, admin" in refused.stderr


def test_a_daemon_reachable_from_other_machines_requires_an_api_key(orderd: Orderd, tmp_path: Path) -> None:
    token = orderd("api-key", "create", "desk", "--state-dir", tmp_path).stdout.strip()
    open_to_all = {"ORDERD_HOST": "0.0.0.0", "ORDERD_TLS_TERMINATED_BY_PROXY": "true"}
    with running_daemon(tmp_path, QUICK | open_to_all) as daemon:
        refused = status(daemon)
        let_in = status(daemon, ORDERCTL_API_KEY=token)
        orderd("api-key", "revoke", "desk", "--state-dir", tmp_path)
        refused_again = status(daemon, ORDERCTL_API_KEY=token)
    assert [refused.returncode, let_in.returncode, refused_again.returncode] == [4, 0, 4]


def test_a_backup_of_a_directory_without_a_database_is_refused(orderd: Orderd, tmp_path: Path) -> None:
    """An empty backup, and the removal of old ones by --keep, would be noticed too late."""
    refused = orderd("backup", tmp_path / "backups", "--state-dir", tmp_path / "mistyped")
    assert (refused.returncode, (tmp_path / "mistyped").exists()) == (2, False)
    assert f"there is no database in {tmp_path / 'mistyped'}: name the daemon's with --state-dir" in refused.stderr
    assert refused.stderr.startswith("orderd: The command cannot be run like this (SERVICE_CONFIGURATION).")
    assert refused.stderr.endswith("  next: see: orderd backup --help\n")


def test_keys_and_backups_are_made_without_the_certificate_that_only_the_daemon_can_read(
    orderd: Orderd, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"ORDERD_HOST": "0.0.0.0", "ORDERD_DATABASE_URL": postgres_url}
    assert orderd("api-key", "create", "desk", **settings).stdout.startswith("orderd_")
    assert orderd("backup", tmp_path, **settings).returncode == 0


@pytest.mark.parametrize("role", ["run", "gateway", "check-config"])
def test_a_public_address_without_tls_is_refused(orderd: Orderd, role: str) -> None:
    refused = orderd(role, ORDERD_HOST="0.0.0.0")
    assert refused.returncode == 2
    assert "host is 0.0.0.0, which other machines can reach, so API keys and orders need TLS" in refused.stderr


def test_a_public_address_without_a_valid_api_key_is_refused(orderd: Orderd, tmp_path: Path) -> None:
    settings = {"ORDERD_HOST": "0.0.0.0", "ORDERD_TLS_TERMINATED_BY_PROXY": "true"}
    orderd("api-key", "create", "desk", "--state-dir", tmp_path)
    orderd("api-key", "revoke", "desk", "--state-dir", tmp_path)
    refused = orderd("run", "--state-dir", tmp_path, "--port", "0", **settings)
    assert refused.returncode == 1
    assert "(SERVICE_EXPOSED)" in refused.stderr
    assert "orderd api-key create NAME" in refused.stderr


def test_an_unreachable_database_is_named_as_the_cause(orderd: Orderd, tmp_path: Path) -> None:
    refused = orderd("migrate", ORDERD_DATABASE_URL=f"postgresql://orderd@/orderd?host={tmp_path}")
    assert refused.returncode == 1
    assert "(SERVICE_UNAVAILABLE)" in refused.stderr
    assert "Postgres does not answer" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("role", ["gateway", "worker"])
def test_a_role_started_alone_names_its_missing_services(orderd: Orderd, role: str) -> None:
    refused = orderd(role, ORDERD_REDIS_URL="redis://127.0.0.1:1/0")
    assert refused.returncode == 2
    assert "this role needs ORDERD_DATABASE_URL, ORDERD_RPC_URL; or start everything with: orderd run" in refused.stderr


def chain_finding(orderd: Orderd, **environment: str) -> list[str]:
    """The doctor's row for the chain: result, check, detail."""
    (line,) = [line for line in orderd("doctor", **environment).stdout.splitlines() if line.split("\t")[1] == "chain"]
    return line.split("\t")


def test_the_doctor_reports_what_kind_of_endpoint_the_chain_has(orderd: Orderd, simnet: ListeningRole) -> None:
    assert chain_finding(orderd)[0] == "ok"
    assert "is one node" in chain_finding(orderd, ORDERD_RPC_URL=simnet.url)[2]
    pool = chain_finding(orderd, ORDERD_RPC_URL=simnet.url, ORDERD_RPC_SINGLE_NODE="false")
    assert "several nodes behind one address" in pool[2]
    wrong = chain_finding(orderd, ORDERD_RPC_URL=simnet.url, ORDERD_CHAIN="devnet")
    assert wrong[0] == "fail"
    away = chain_finding(orderd, ORDERD_RPC_URL="http://127.0.0.1:9/")
    assert (away[0], "does not respond" in away[2]) == ("warn", True)


def test_the_doctor_warns_of_an_endpoint_that_keeps_no_transaction_history(
    orderd: Orderd, simnet: ListeningRole
) -> None:
    views = {"honest": 0, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 1}
    call = {"jsonrpc": "2.0", "id": 1, "method": "simnet_setFaults", "params": [{"nodes": "pool", "views": views}]}
    httpx.post(simnet.url, json=call, trust_env=False).raise_for_status()
    warned = chain_finding(orderd, ORDERD_RPC_URL=simnet.url)
    assert warned[0] == "warn"
    assert "keeps no transaction history" in warned[2]


def test_the_doctor_measures_the_endpoint_and_the_wallet(
    orderd: Orderd, simnet: ListeningRole, postgres_url: str
) -> None:
    environment = {
        "ORDERD_RPC_URL": simnet.url,
        "ORDERD_RPC_WS_URL": simnet.address["ws_url"],
        "ORDERD_DATABASE_URL": postgres_url,
    }
    orderd("wallet", **environment)
    done = orderd("doctor", **environment)
    found = {
        check: (result, detail) for result, check, detail in (line.split("\t") for line in done.stdout.splitlines())
    }
    assert {check for check, (result, _) in found.items() if result != "ok"} == set(), done.stdout
    assert found.keys() >= {"slots", "clock", "history", "methods", "websocket", "pace", "pools", "fees", "funds"}
    assert "1000 SOL and 0 wrapped SOL" in found["funds"][1]
    assert "version 0" in found["transactions"][1], "the transaction version of the local chain's profile"
    assert "raydium_clmm 2" in found["pools"][1]
    asked = orderd("doctor", ORDERD_REQUIRE_PROOF="true", **environment)
    assert asked.returncode == 1
    (programs,) = [line for line in asked.stdout.splitlines() if line.split("\t")[1] == "programs"]
    assert programs.startswith("fail\tprograms\tnone proved; raydium_cpmm: its program")
    assert "orderd prove" in programs


def test_the_wallet_is_created_and_funded_once_on_simnet(orderd: Orderd, simnet: ListeningRole) -> None:
    first = orderd("wallet", ORDERD_RPC_URL=simnet.url)
    second = orderd("wallet", ORDERD_RPC_URL=simnet.url)
    assert first.stdout == second.stdout != ""
    assert first.stderr == "funded with 1000 SOL\nfunded with 100000 USDC\n"
    assert second.stderr == ""


def test_what_the_faucet_gave_can_be_traded_at_once(orderd: Orderd, tmp_path: Path) -> None:
    profile = {"ORDERD_SIMNET_PROFILE": "2026"}
    with (
        running_simnet(tmp_path / "chain", ORDERD_SIMNET_SLOT_MS="500", **profile) as simnet,
        closing(RpcClient(simnet.url, commitment="finalized")) as rpc,
    ):
        wallet = orderd("wallet", ORDERD_RPC_URL=simnet.url, **profile).stdout.strip()
        assert rpc.get_balance(Pubkey.from_string(wallet)).value == 1_000 * 10**9


def test_the_wallet_is_created_but_not_funded_on_a_local_validator(orderd: Orderd, simnet: ListeningRole) -> None:
    made = orderd("wallet", ORDERD_CHAIN="localnet", ORDERD_RPC_URL=simnet.url)
    again = orderd("wallet", ORDERD_CHAIN="localnet", ORDERD_RPC_URL=simnet.url)
    assert made.stdout == again.stdout != ""
    assert made.stderr == ""
    with closing(RpcClient(simnet.url)) as rpc:
        assert rpc.get_balance(Pubkey.from_string(made.stdout.strip())).value == 0


def test_prove_leaves_a_program_that_cannot_be_compared_undecided_and_stores_nothing(
    orderd: Orderd, simnet: ListeningRole, postgres_url: str
) -> None:
    environment = {"ORDERD_RPC_URL": simnet.url, "ORDERD_DATABASE_URL": postgres_url}
    orderd("wallet", **environment)
    done = orderd("prove", "--pools", "1", "--pair", "SOL/USDC", "--kind", "raydium_cpmm", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("raydium_cpmm\tundecided\t0 pools, 0 swaps; as quoted: 0 by the node, 0 by LiteSVM")
    assert "the chain has no executable program" in done.stdout
    connect(postgres_url)
    with database.connection_context():
        assert proofs.stored() == {}
    database.close_all()
    unknown = orderd("prove", "--kind", "orca", **environment)
    assert unknown.returncode == 2
    assert "--kind: unknown kind orca; use raydium_cpmm" in unknown.stderr


def test_coverage_counts_traded_pools_and_names_why_others_are_left_out(orderd: Orderd, simnet: ListeningRole) -> None:
    environment = {"ORDERD_RPC_URL": simnet.url}
    done = orderd("coverage", "--pair", "SOL/USDC", **environment)
    assert done.returncode == 0, done.stderr
    counted = dict(line.split("\ttraded\t") for line in done.stdout.splitlines())
    assert counted == {
        "raydium_cpmm": "1",
        "raydium_clmm": "2",
        "raydium_amm_v4": "1",
        "meteora_dlmm": "2",
        "meteora_damm_v2": "1",
    }


def test_orderd_never_creates_the_wallet_of_a_real_chain(orderd: Orderd, simnet: ListeningRole) -> None:
    refused = orderd("wallet", ORDERD_CHAIN="devnet", ORDERD_RPC_URL=simnet.url)
    assert refused.returncode == 2
    assert "create one with: solana-keygen new" in refused.stderr


def test_check_config_shows_the_effective_settings_without_secrets(orderd: Orderd) -> None:
    shown = orderd(
        "check-config",
        ORDERD_PORT="4000",
        ORDERD_DATABASE_URL="postgresql://orderd:hunter2@host/orderd",
        ORDERD_RPC_URL="https://provider.example/?api-key=hunter2",
    )
    assert shown.returncode == 0
    assert "port = 4000\n" in shown.stdout
    assert "hunter2" not in shown.stdout


def test_check_config_fails_if_a_start_would_fail(orderd: Orderd) -> None:
    refused = orderd("check-config", ORDERD_PROT="4000")
    assert refused.returncode == 2
    assert refused.stderr == (
        "orderd: The configuration cannot be used (SERVICE_CONFIGURATION).\n"
        "  ORDERD_PROT is not a setting of orderd; did you mean ORDERD_PORT?\n"
        "  next: correct the named settings; check the result: orderd check-config\n"
    )


@pytest.mark.parametrize("pace", [pytest.param([], marks=pytest.mark.executed), ["--slow"]])
def test_the_demo_trades_and_removes_its_files(orderd: Orderd, tmp_path: Path, pace: list[str]) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    shown = orderd("demo", *pace, TMPDIR=str(scratch))
    assert shown.returncode == 0, shown.stderr
    for word in ("raydium", "meteora", "signature", "received", "fee", "confirmed"):
        assert word in shown.stdout
    assert list(scratch.iterdir()) == []


def status(daemon: Daemon, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [BIN / "orderctl", "status", "--output", "json"],
        env={**os.environ, "ORDERCTL_URL": daemon.url, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_former_name_of_the_verb_works_and_names_the_new_one(orderd: Orderd, postgres_url: str) -> None:
    made = orderd("token", "create", "desk", ORDERD_DATABASE_URL=postgres_url)
    assert made.returncode == 0
    assert made.stderr.startswith("orderd token has been renamed to orderd api-key;")
    assert "desk\ttrade\t" in orderd("api-key", "list", ORDERD_DATABASE_URL=postgres_url).stdout
    assert " token " not in orderd("--help").stdout


def test_a_backup_is_one_file_from_which_a_restore_creates_the_database(
    orderd: Orderd, postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    """The restored database has all rows, is halted, and counts as another installation."""
    kept = ("api-key", "create", "desk")
    assert orderd(*kept, ORDERD_DATABASE_URL=postgres_url).returncode == 0
    files = [
        orderd("backup", tmp_path / "backups", "--keep", "2", ORDERD_DATABASE_URL=postgres_url).stdout.strip()
        for _ in range(3)
    ]
    assert sorted(map(str, (tmp_path / "backups").iterdir())) == files[1:]
    assert Path(files[2]).stat().st_mode & 0o777 == 0o600

    restored = orderd("restore", files[2], "--old-daemon-is-stopped", ORDERD_DATABASE_URL=empty_postgres_url)
    assert restored.returncode == 0, restored.stderr
    listed = orderd("api-key", "list", ORDERD_DATABASE_URL=empty_postgres_url).stdout
    assert listed.startswith("desk\t")
    installation = "SELECT encode(id, 'hex'), encode(inner_key, 'hex') FROM installation"
    ((old_id, old_key),) = rows_of(postgres_url, installation)
    ((new_id, new_key),) = rows_of(empty_postgres_url, installation)
    assert (old_id != new_id, old_key == new_key) == (True, True)
    assert rows_of(empty_postgres_url, "SELECT cause FROM halts ORDER BY cause") == [("operator",), ("restore",)]

    again = orderd("restore", files[2], "--old-daemon-is-stopped", ORDERD_DATABASE_URL=empty_postgres_url)
    assert (again.returncode, "not empty" in again.stderr) == (2, True)


def rows_of(url: str, question: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall()


def test_a_restore_requires_confirmation_that_the_old_daemon_is_stopped(
    orderd: Orderd, postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    file = orderd("backup", tmp_path, ORDERD_DATABASE_URL=postgres_url).stdout.strip()
    asked = orderd("restore", file, ORDERD_DATABASE_URL=empty_postgres_url)
    assert asked.returncode == 2
    assert "would execute the same orders a second time" in asked.stderr
    assert "there is no terminal to ask whether it is stopped: add --old-daemon-is-stopped" in asked.stderr
    missing = orderd("restore", tmp_path / "nothing", ORDERD_DATABASE_URL=empty_postgres_url)
    assert (missing.returncode, "no such file" in missing.stderr) == (2, True)
    assert rows_of(empty_postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_wallet_is_backed_up_only_on_request_and_encrypted(orderd: Orderd, postgres_url: str, tmp_path: Path) -> None:
    wallet, words = tmp_path / "wallet.json", tmp_path / "words"
    create_wallet(wallet)
    words.write_text("correct horse\n")
    environment = {"ORDERD_DATABASE_URL": postgres_url, "ORDERD_WALLET": str(wallet)}
    done = orderd("backup", tmp_path / "backups", "--with-wallet", words, **environment).stdout.split()
    copy = Path(done[1])
    assert copy.suffixes[-2:] == [".wallet", ".age"]
    assert (copy.stat().st_mode & 0o777, wallet.read_bytes() in copy.read_bytes()) == (0o600, False)
    assert passphrase.decrypt(copy.read_bytes(), "correct horse") == wallet.read_bytes()
    words.write_text("")
    assert orderd("backup", tmp_path / "backups", "--with-wallet", words, **environment).returncode == 2
