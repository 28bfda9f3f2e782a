"""The findings of ``orderd doctor``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from orderd.domain.errors import OrderdError


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """The result of a check, and how to fix a problem."""

    check: str
    result: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def tried(check: str, probe: Callable[[], DoctorFinding]) -> DoctorFinding:
    """Run a check; an OrderdError becomes a finding."""
    try:
        return probe()
    except OrderdError as error:
        return DoctorFinding(check, "fail", error.detail, error.spec.next_step)
