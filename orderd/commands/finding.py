"""What a doctor finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from orderd.domain.errors import OrderdError


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """What was looked at, how it is, and what to do about it."""

    check: str
    result: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def tried(check: str, look: Callable[[], DoctorFinding]) -> DoctorFinding:
    """A finding, also where looking fails."""
    try:
        return look()
    except OrderdError as error:
        return DoctorFinding(check, "fail", error.detail, error.spec.next_step)
