"""The base class of all messages, and the types and descriptions that several messages share."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


OrderRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""An order's id, a unique prefix of it, or its client order id."""


Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
"""A text that is used in queries; Postgres accepts no NUL."""


Moment = Annotated[str, StringConstraints(max_length=40)]
"""A time in ISO 8601 with a time zone."""


ACCOUNT: Final = "an account by name or id; if absent, the caller's own account, or all accounts with the scope admin"


class Message(BaseModel):
    """The base class. Validators are built on first use, because a short command needs only a few messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def build_messages() -> None:
    """Build the validators of all imported messages. A daemon calls this before it serves the first request.

    FastAPI requires this for messages that are request parameters.
    """
    waiting: list[type[Message]] = [Message]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        model.model_config["defer_build"] = False
        model.model_rebuild()


class NoParams(Message):
    pass
