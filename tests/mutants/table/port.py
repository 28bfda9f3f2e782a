"""Access control: who may connect, and which methods an API key permits."""

from typing import Final

from tests.mutants.mutant import Mutant

_ORIGIN: Final = "tests/unit/gateway/test_origin.py::"
_MATRIX: Final = "tests/integration/gateway/test_auth_matrix.py::"

MUTANTS: Final = (
    Mutant(
        "scope-not-checked",
        11,
        "orderd/gateway/access/authentication.py",
        "if _RANK[self.scope] < _RANK[scope]:",
        "if False:",
        ("tests/integration/gateway/test_rest.py::test_a_read_key_cannot_trade",),
        "An API key for reading can trade.",
    ),
    Mutant(
        "cancel-by-readers",
        11,
        "orderd/gateway/rpc/orders.py",
        "Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.TRADE,",
        "Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.READ,",
        (f"{_MATRIX}test_calls_are_accepted_with_the_scopes_of_the_table",),
        "An API key for reading can cancel orders.",
    ),
    Mutant(
        "revoked-key-accepted",
        11,
        "orderd/gateway/access/authentication.py",
        "row is None or row.revoked_at is not None or",
        "row is None or",
        (
            "tests/integration/gateway/test_access.py::TestRevocation::"
            "test_a_revocation_closes_the_keys_connections_at_once_and_no_others",
        ),
        "An API key that was revoked after a leak can still trade.",
    ),
    Mutant(
        "real-chain-without-key",
        11,
        "orderd/gateway/access/authentication.py",
        "return not (settings.is_local_chain and settings.is_local)",
        "return not settings.is_local",
        (f"{_MATRIX}test_http_access_matches_the_table",),
        "Every program on the machine can trade with real money.",
    ),
    Mutant(
        "foreign-origin-accepted",
        11,
        "orderd/gateway/access/origin.py",
        'if scheme not in ("http", "https") or authority.lower() != hosts[0].lower():',
        'if scheme not in ("http", "https"):',
        (f"{_ORIGIN}test_every_origin_must_match",),
        "Any web page that the trader opens can trade with the wallet.",
    ),
    Mutant(
        "foreign-host-accepted",
        11,
        "orderd/gateway/access/origin.py",
        "if len(hosts) != 1 or host_of(hosts[0]) not in self._names:",
        "if len(hosts) != 1:",
        (f"{_ORIGIN}test_allowed_origins_may_be_foreign",),
        "A page whose domain resolves to the trader's machine counts as one of the daemon's own.",
    ),
    Mutant(
        "unwritten-refusal-ends-the-gateway",
        13,
        "orderd/gateway/access/refusal_log.py",
        "        except Exception as error:  # noqa: BLE001  (a failed write",
        "        except KeyError as error:  # (a failed write",
        ("tests/unit/gateway/test_refusals.py::test_refusals_that_cannot_be_stored_are_stored_later",),
        "A short outage of Postgres ends the gateway because one refusal cannot be logged.",
    ),
    Mutant(
        "trailers-are-headers",
        11,
        "orderd/gateway/port/http_connection.py",
        "        if self._in_head:\n            super().on_header(name, value)\n",
        "        super().on_header(name, value)\n",
        ("tests/integration/gateway/test_port.py::test_trailers_of_a_body_are_not_headers",),
        "A client behind a trusted proxy appears in the audit under any address that it likes.",
    ),
)
