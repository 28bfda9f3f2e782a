"""The rule by which signed bytes are known never to land, and that a success was rolled back."""

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


def test_a_null_beside_a_finalized_witness_soon_after_the_last_valid_height_is_proof() -> None:
    assert PROOF.proves_expiry(VALIDITY)


@pytest.mark.parametrize(
    "sighting",
    [
        replace(PROOF, is_witnessed=False),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT)),
        replace(PROOF, slot=FINALIZED.absolute_slot - 1),
        replace(PROOF, slot=READ_AT + STATUSES_KEPT + 1),
        replace(PROOF, status=SignatureStatus(READ_AT + 1, None, "processed")),
        replace(PROOF, status=SignatureStatus(READ_AT + 1, "AccountNotFound", "finalized")),
    ],
    ids=[
        "no witness: the node may be on a dead fork, or far behind",
        "the last valid height is not passed",
        "an answer older than the height",
        "so late that the node may have forgotten",
        "seen, if only in a block without votes",
        "landed, and failed",
    ],
)
def test_less_is_no_proof(sighting: Sighting) -> None:
    assert not sighting.proves_expiry(VALIDITY)


def test_without_the_blockhashs_slot_a_witness_proves_only_what_is_recent_at_any_rate() -> None:
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
        "it has all blocks since",
        "it lacks one",
        "within the statuses that come with a snapshot",
        "before those",
        "not one node",
    ],
)
def test_of_one_node_its_history_decides(history_from: int | None, slot: int, proven: bool) -> None:
    sighting = replace(PROOF, is_witnessed=False, history_from=history_from, slot=slot)
    assert sighting.proves_expiry(VALIDITY) is proven


@given(
    landed=st.integers(1, 150),
    skipped=st.lists(st.booleans(), min_size=500, max_size=500),
    asked=st.integers(0, 400),
    behind=st.integers(0, 400),
    forgets=st.booleans(),
)
@example(landed=1, skipped=[False] * 500, asked=301, behind=32, forgets=True)  # it has just been forgotten
def test_no_node_of_the_chain_that_won_proves_the_expiry_of_what_landed(
    landed: int, skipped: list[bool], asked: int, behind: int, forgets: bool
) -> None:
    """Whatever slots are empty: a node with a finalized witness keeps the newest 300 blocks, or more."""
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
def test_what_is_only_processed_has_neither_landed_nor_expired(level: str, landed: bool) -> None:
    sighting = replace(PROOF, status=SignatureStatus(READ_AT + 1, None, level))
    assert sighting.landed is landed
    assert not sighting.proves_expiry(VALIDITY)


@pytest.mark.parametrize(("level", "landed"), [("confirmed", False), ("finalized", True)])
def test_where_only_finality_counts_a_confirmed_success_has_not_landed_yet(level: str, landed: bool) -> None:
    sighting = replace(PROOF, status=SignatureStatus(READ_AT + 1, None, level), landed_at="finalized")
    assert (sighting.landed, sighting.is_final) == (landed, landed)


def test_what_nobody_shows_has_not_landed() -> None:
    assert not PROOF.landed
    assert not PROOF.is_final


@pytest.mark.parametrize(
    ("level", "final_at", "landed"),
    [("confirmed", "finalized", False), ("finalized", "finalized", True), ("confirmed", "confirmed", True)],
)
def test_a_failure_counts_once_its_block_cannot_be_rolled_back(level: str, final_at: Any, landed: bool) -> None:
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
        "in no block of the chain that won",
        "it stands",
        "it still may stand",
        "it may stand elsewhere",
        "it stands elsewhere",
        "it failed in the block that won",
    ],
)
def test_a_success_is_taken_back_only_on_the_word_of_the_finalized_chain(
    status: SignatureStatus | None, rolled_back: bool
) -> None:
    assert replace(PROOF, status=status).proves_rollback(SEEN) is rolled_back


@pytest.mark.parametrize(
    "sighting",
    [
        replace(PROOF, is_witnessed=False),
        replace(PROOF, finalized=finalized_at(LAST_HEIGHT, slot=LANDED - 1)),
        replace(PROOF, slot=READ_AT + STATUSES_KEPT + 1),
    ],
    ids=["no witness", "its slot is not finalized", "the node may have forgotten"],
)
def test_not_found_alone_takes_no_success_back(sighting: Sighting) -> None:
    assert not sighting.proves_rollback(SEEN)


def test_where_the_blockhashs_slot_was_not_kept_it_is_no_later_than_half_of_the_slots_were_empty() -> None:
    assert Validity(LAST_HEIGHT).first_slot(finalized_at(LAST_HEIGHT + 1)) == FINALIZED.absolute_slot - 2 * 151
    assert Validity(LAST_HEIGHT).first_slot(finalized_at(LAST_HEIGHT + 10_000)) == 0
