"""The rules that prove that signed bytes will never land, or that a fill was rolled back."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.solana.expiry import STATUSES_KEPT, Sighting, Validity
from orderd.solana.rpc_types import EpochInfo, SignatureStatus

READ_AT = 1_000
"""The slot at which the blockhash was read."""
LAST_HEIGHT = 1_050
VALIDITY = Validity(LAST_HEIGHT, READ_AT)
FINALIZED = EpochInfo(absolute_slot=READ_AT + 160, block_height=LAST_HEIGHT + 1, epoch=0)
PROOF = Sighting(None, slot=READ_AT + 192, finalized=FINALIZED, is_witnessed=True)
"""Of its expiry."""


def finalized_at(height: int, slot: int = FINALIZED.absolute_slot) -> EpochInfo:
    return EpochInfo(slot, height, 0)


def test_a_null_status_with_a_finalized_witness_after_the_last_valid_height_is_a_proof() -> None:
    assert PROOF.proves_expiry(VALIDITY)


@pytest.mark.parametrize(
    "sighting",
    [
        replace(PROOF, is_witnessed=False),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT)),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT + 1, slot=READ_AT + 149)),
        replace(PROOF, slot=FINALIZED.absolute_slot - 1),
        replace(PROOF, slot=READ_AT + STATUSES_KEPT + 1),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT + 1, slot=READ_AT - 1), slot=READ_AT),
        replace(PROOF, status=SignatureStatus(READ_AT + 1, None, "processed")),
        replace(PROOF, status=SignatureStatus(READ_AT + 1, "AccountNotFound", "finalized")),
    ],
    ids=[
        "no witness: the node may be on a dead fork or far behind",
        "last valid height not passed",
        "fewer slots than the blocks in which it may land: the stated height was too low",
        "answer older than the height",
        "so late that the node may have dropped the status",
        "a chain on which the slot of the blockhash lies ahead",
        "seen in a block without votes",
        "landed and failed",
    ],
)
def test_incomplete_evidence_is_not_a_proof(sighting: Sighting) -> None:
    assert not sighting.proves_expiry(VALIDITY)


def test_a_witness_without_the_blockhashs_slot_proves_only_recent_attempts() -> None:
    assert not PROOF.proves_expiry(Validity(LAST_HEIGHT))


@pytest.mark.parametrize(
    ("history_from", "slot", "proven"),
    [
        (READ_AT, READ_AT + 100_000, True),
        (READ_AT + 1, READ_AT + 100_000, False),
        (2**63, READ_AT + STATUSES_KEPT, True),
        (2**63, READ_AT + STATUSES_KEPT + 1, False),
        (None, READ_AT + 192, False),
    ],
    ids=[
        "has all blocks since",
        "lacks one block",
        "within the statuses of a snapshot",
        "before the statuses of a snapshot",
        "several nodes",
    ],
)
def test_the_history_of_a_single_node_is_a_proof(history_from: int | None, slot: int, proven: bool) -> None:
    sighting = replace(PROOF, is_witnessed=False, history_from=history_from, slot=slot)
    assert sighting.proves_expiry(VALIDITY) is proven


@given(
    landed=st.integers(1, 150),
    skipped=st.lists(st.booleans(), min_size=500, max_size=500),
    asked=st.integers(0, 400),
    behind=st.integers(0, 400),
    forgets=st.booleans(),
)
@example(landed=1, skipped=[False] * 500, asked=301, behind=32, forgets=True)  # the status was just dropped
def test_no_node_of_the_winning_fork_proves_the_expiry_of_a_landed_transaction(
    landed: int, skipped: list[bool], asked: int, behind: int, forgets: bool
) -> None:
    """For any empty slots: a node with a finalized witness keeps the newest 300 blocks or more."""
    heights = [READ_AT]  # by slots after the one of the blockhash
    for is_empty in skipped:
        heights.append(heights[-1] + (not is_empty))
    blocks = [slot for slot in range(1, len(heights)) if heights[slot] > heights[slot - 1]]
    if len(blocks) < 150:
        return
    landed_at = blocks[landed - 1]
    validity = Validity(READ_AT + 150, READ_AT)
    tip = min(asked, len(heights) - 1)
    finalized = EpochInfo(READ_AT + max(tip - behind, 0), heights[max(tip - behind, 0)], 0)
    kept = blocks[max(len([each for each in blocks if each <= tip]) - 300, 0) :]
    knows = landed_at <= tip and (landed_at in kept or not forgets)
    status = SignatureStatus(READ_AT + landed_at, None, "confirmed") if knows else None
    assert not Sighting(status, READ_AT + tip, finalized, is_witnessed=True).proves_expiry(validity)


@pytest.mark.parametrize(("level", "landed"), [("processed", False), ("confirmed", True), ("finalized", True)])
def test_a_processed_transaction_has_neither_landed_nor_expired(level: str, landed: bool) -> None:
    sighting = replace(PROOF, status=SignatureStatus(READ_AT + 1, None, level))
    assert sighting.landed is landed
    assert not sighting.proves_expiry(VALIDITY)


@pytest.mark.parametrize(("level", "landed"), [("confirmed", False), ("finalized", True)])
def test_a_confirmed_transaction_has_not_landed_if_finality_is_required(level: str, landed: bool) -> None:
    sighting = replace(PROOF, status=SignatureStatus(READ_AT + 1, None, level), landed_at="finalized")
    assert (sighting.landed, sighting.is_final) == (landed, landed)


def test_an_unseen_transaction_has_not_landed() -> None:
    assert not PROOF.landed
    assert not PROOF.is_final


@pytest.mark.parametrize(
    ("level", "final_at", "landed"),
    [("confirmed", "finalized", False), ("finalized", "finalized", True), ("confirmed", "confirmed", True)],
)
def test_a_failure_counts_once_its_block_is_final(level: str, final_at: Any, landed: bool) -> None:
    failed = SignatureStatus(READ_AT + 1, "ProgramFailedToComplete", level)
    assert replace(PROOF, status=failed, final_at=final_at).landed is landed


LANDED = READ_AT + 5
SEEN = replace(VALIDITY, landed_slot=LANDED)


@pytest.mark.parametrize(
    ("status", "rolled_back"),
    [
        (None, True),
        (SignatureStatus(LANDED, None, "finalized"), False),
        (SignatureStatus(LANDED, None, "confirmed"), False),
        (SignatureStatus(LANDED + 9, None, "confirmed"), False),
        (SignatureStatus(LANDED + 9, None, "finalized"), True),
        (SignatureStatus(LANDED, "ProgramFailedToComplete", "finalized"), True),
    ],
    ids=[
        "in no block of the winning fork",
        "in the same block",
        "not decided yet",
        "possibly in another block",
        "in another block",
        "failed on the winning fork",
    ],
)
def test_a_fill_is_rolled_back_only_on_finalized_evidence(status: SignatureStatus | None, rolled_back: bool) -> None:
    assert replace(PROOF, status=status).proves_rollback(SEEN) is rolled_back


@pytest.mark.parametrize(
    "sighting",
    [
        replace(PROOF, is_witnessed=False),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT, slot=LANDED - 1)),
        replace(PROOF, slot=READ_AT + STATUSES_KEPT + 1),
    ],
    ids=["no witness", "slot not finalized", "node may have dropped the status"],
)
def test_not_found_alone_does_not_roll_a_fill_back(sighting: Sighting) -> None:
    assert not sighting.proves_rollback(SEEN)


def test_a_chain_on_which_the_slot_of_the_blockhash_lies_ahead_does_not_roll_a_fill_back() -> None:
    """Nor does it if it has stated a slot for the fill."""
    other = replace(PROOF, finalized=finalized_at(LAST_HEIGHT, slot=READ_AT - 1), slot=READ_AT)
    assert not other.proves_rollback(replace(SEEN, landed_slot=READ_AT - 2))


def test_an_unknown_blockhash_slot_is_estimated_with_half_of_the_slots_empty() -> None:
    assert Validity(LAST_HEIGHT).first_slot(finalized_at(LAST_HEIGHT + 1)) == FINALIZED.absolute_slot - 2 * 151
    assert Validity(LAST_HEIGHT).first_slot(finalized_at(LAST_HEIGHT + 10_000)) == 0
