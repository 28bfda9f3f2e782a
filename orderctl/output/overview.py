"""The document of ``orderctl`` without a command."""

from orderctl.output.documents import Document
from orderd.wire.orders import ListResult
from orderd.wire.status import StatusResult


class Overview(Document):
    status: StatusResult
    active: ListResult
