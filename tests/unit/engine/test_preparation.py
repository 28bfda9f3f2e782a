"""Turns are prepared one at a time, and waiting for a preparation is limited."""

from threading import Thread

import pytest

from orderd.engine.execution import preparation
from orderd.engine.execution.preparation import Preparation

PATIENCE = 20


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Preparation:
    """A preparation that others wait for without a limit."""
    monkeypatch.setattr(preparation, "_SECONDS", PATIENCE)
    return Preparation()


def test_nothing_waits_while_no_turn_is_prepared(patient: Preparation) -> None:
    with patient.held():
        pass
    patient.wait()


def test_waiting_work_continues_once_the_turn_is_prepared(patient: Preparation) -> None:
    waits = Thread(target=patient.wait)
    with patient.held() as prepared:
        waits.start()
        waits.join(0.02)
        assert waits.is_alive()
        prepared()
        waits.join(PATIENCE)
        assert not waits.is_alive()


def test_a_preparation_can_begin_before_its_turn(patient: Preparation) -> None:
    patient.begin()
    waits = Thread(target=patient.wait)
    waits.start()
    with patient.held() as prepared:
        waits.join(0.02)
        assert waits.is_alive()
        prepared()
        waits.join(PATIENCE)
        assert not waits.is_alive()


def test_a_preparation_without_a_turn_can_be_cancelled(patient: Preparation) -> None:
    patient.begin()
    patient.cancel()
    patient.wait()


def test_a_turn_that_has_started_is_not_cancelled(patient: Preparation) -> None:
    patient.begin()
    with patient.held():
        patient.begin()
        patient.cancel()
        waits = Thread(target=patient.wait)
        waits.start()
        waits.join(0.02)
        assert waits.is_alive()
    waits.join(PATIENCE)
    assert not waits.is_alive()


def test_a_failed_turn_ends_its_preparation(patient: Preparation) -> None:
    with pytest.raises(ValueError, match="no"), patient.held():
        raise ValueError("no")
    patient.wait()


def test_a_concurrent_turn_neither_waits_nor_ends_the_other_preparation(patient: Preparation) -> None:
    waits = Thread(target=patient.wait)
    with patient.held():
        with patient.held() as prepared:
            prepared()
        waits.start()
        waits.join(0.02)
        assert waits.is_alive()
    waits.join(PATIENCE)
    assert not waits.is_alive()


def test_the_wait_is_limited() -> None:
    hangs = Preparation()
    with hangs.held():
        hangs.wait()
