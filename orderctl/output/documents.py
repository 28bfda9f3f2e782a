"""The documents that orderctl makes without a daemon: its settings with their origins, and errors.

They load no messages of the wire. All documents are listed in ``orderctl.output.schemas``.
"""

from pydantic import BaseModel, ConfigDict, Field

from orderctl.output.colours import CheckResult
from orderd.domain.errors import ErrorCode


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Finding(Document):
    """What was looked at, how it is, and what to do about it: empty where nothing is."""

    check: str
    result: CheckResult
    detail: str
    fix: str = ""


class Doctor(Document):
    findings: tuple[Finding, ...]


class Setting(Document):
    """``origin`` is where it was set: a flag, a variable, a file, or ``default``."""

    name: str
    value: str
    origin: str


class Config(Document):
    settings: tuple[Setting, ...]


class Context(Document):
    name: str
    url: str


class Contexts(Document):
    current: str | None = Field(description="the context in use")
    contexts: tuple[Context, ...]


class ProgramRelease(Document):
    version: str
    wire_version: int
    commit: str | None = Field(None, description="of the source that it was made from; null if unknown")


class Versions(Document):
    orderctl: ProgramRelease
    orderd: ProgramRelease | None = Field(description="null where the daemon cannot be reached")


class Failure(Document):
    """On stderr, where JSON was asked for."""

    code: ErrorCode | None = Field(description="null where no daemon was asked")
    title: str
    detail: str
    next_step: str
    exit_code: int
