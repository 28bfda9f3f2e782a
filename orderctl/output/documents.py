"""The JSON documents that orderctl creates itself: settings, findings and errors.

This module imports no wire messages. ``orderctl.output.schemas`` lists all documents.
"""

from pydantic import BaseModel, ConfigDict, Field

from orderctl.output.colours import CheckResult
from orderd.domain.errors import ErrorCode


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Finding(Document):
    """The result of a check; ``fix`` is empty if nothing needs to be done."""

    check: str
    result: CheckResult
    detail: str
    fix: str = ""


class Doctor(Document):
    findings: tuple[Finding, ...]


class Setting(Document):
    """A setting; ``origin`` is a flag, a variable, a file, or ``default``."""

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
    commit: str | None = Field(None, description="the commit of its source; null if unknown")


class Versions(Document):
    orderctl: ProgramRelease
    orderd: ProgramRelease | None = Field(description="null if the daemon cannot be reached")


class Failure(Document):
    """An error, printed on stderr if the output format is JSON."""

    code: ErrorCode | None = Field(description="the error code of the daemon; null for errors of the client itself")
    title: str
    detail: str
    next_step: str
    exit_code: int
