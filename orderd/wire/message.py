"""What all messages have in common, and the texts that several of them are made of."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


OrderRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""An order's id, a unique prefix of it, or its client order id."""


Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
"""What Postgres is asked for: it takes no NUL."""


Moment = Annotated[str, StringConstraints(max_length=40)]
"""A time in ISO 8601 with its zone."""


ACCOUNT: Final = "of this one, by name or id; where absent the caller's own, and with the scope admin all"


class Message(BaseModel):
    """What reads and writes it is built when it is first used: a short command needs a few of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def build_messages() -> None:
    """Builds what reads and writes all messages that are loaded: a daemon does so before it answers the first one.

    FastAPI takes only messages that are built for parameters of a request.
    """
    waiting: list[type[Message]] = [Message]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        model.model_config["defer_build"] = False
        model.model_rebuild()


class NoParams(Message):
    pass
