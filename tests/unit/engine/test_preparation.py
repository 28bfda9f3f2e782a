"""Turns are prepared one at a time, and nothing waits for that for long."""

from threading import Thread

import pytest

from orderd.engine.execution import preparation
from orderd.engine.execution.preparation import Preparation

PATIENCE = 20


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Preparation:
    """One for which is waited as long as it takes."""
    monkeypatch.setattr(preparation, "_SECONDS", PATIENCE)
    return Preparation()


def test_nothing_waits_where_no_turn_is_prepared(patient: Preparation) -> None:
    with patient.held():
        pass
    patient.wait()


def test_what_waits_goes_on_once_the_turn_is_prepared(patient: Preparation) -> None:
    waits = Thread(target=patient.wait)
    with patient.held() as prepared:
        waits.start()
        waits.join(0.02)
        assert waits.is_alive()
        prepared()
        waits.join(PATIENCE)
        assert not waits.is_alive()


def test_a_turn_that_fails_is_prepared_no_longer(patient: Preparation) -> None:
    with pytest.raises(ValueError, match="no"), patient.held():
        raise ValueError("no")
    patient.wait()


def test_a_turn_beside_another_neither_waits_nor_ends_what_the_other_began(patient: Preparation) -> None:
    waits = Thread(target=patient.wait)
    with patient.held():
        with patient.held() as prepared:
            prepared()
        waits.start()
        waits.join(0.02)
        assert waits.is_alive()
    waits.join(PATIENCE)
    assert not waits.is_alive()


def test_nothing_waits_for_long() -> None:
    hangs = Preparation()
    with hangs.held():
        hangs.wait()
