"""Access control: who may connect, and which methods a token permits."""

from typing import Final

from tests.mutants.mutant import Mutant

_ORIGIN: Final = "tests/unit/gateway/test_origin.py::"
_MATRIX: Final = "tests/integration/gateway/test_auth_matrix.py::"

MUTANTS: Final = (
    Mutant(
        "scope-not-looked-at",
        11,
        "orderd/gateway/access/authentication.py",
        "if _RANK[self.scope] < _RANK[scope]:",
        "if False:",
        ("tests/integration/gateway/test_rest.py::test_a_read_key_cannot_trade",),
        "A token that was given to a screen can trade.",
    ),
    Mutant(
        "cancel-by-readers",
        11,
        "orderd/gateway/rpc/orders.py",
        "Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.TRADE,",
        "Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.READ,",
        (f"{_MATRIX}test_calls_are_accepted_with_the_scopes_of_the_table",),
        "A token that was given to a screen can cancel.",
    ),
    Mutant(
        "revoked-come-in",
        11,
        "orderd/gateway/access/authentication.py",
        "row is None or row.revoked_at is not None or",
        "row is None or",
        (
            "tests/integration/gateway/test_access.py::TestRevocation::"
            "test_a_revocation_closes_the_keys_connections_at_once_and_no_others",
        ),
        "A token that was revoked because it leaked trades on.",
    ),
    Mutant(
        "real-money-without-token",
        11,
        "orderd/gateway/access/authentication.py",
        "return not (settings.is_local_chain and settings.is_local)",
        "return not settings.is_local",
        (f"{_MATRIX}test_http_access_matches_the_table",),
        "Every program on the machine trades with real money.",
    ),
    Mutant(
        "pages-of-strangers",
        11,
        "orderd/gateway/access/origin.py",
        'if scheme not in ("http", "https") or authority.lower() != hosts[0].lower():',
        'if scheme not in ("http", "https"):',
        (f"{_ORIGIN}test_every_origin_must_match",),
        "Any web page that the trader opens trades with his wallet.",
    ),
    Mutant(
        "names-of-strangers",
        11,
        "orderd/gateway/access/origin.py",
        "if len(hosts) != 1 or host_of(hosts[0]) not in self._names:",
        "if len(hosts) != 1:",
        (f"{_ORIGIN}test_allowed_origins_may_be_foreign",),
        "A page whose name leads to the trader's own machine passes for one of the daemon's own.",
    ),
    Mutant(
        "refusals-that-cannot-be-written",
        13,
        "orderd/gateway/access/refusal_log.py",
        "        except Exception as error:  # noqa: BLE001  (a failed write",
        "        except KeyError as error:  # (a failed write",
        ("tests/unit/gateway/test_refusals.py::test_refusals_that_cannot_be_stored_are_stored_later",),
        "A second without Postgres ends the gateway for good, for the sake of a line about a refusal.",
    ),
)
