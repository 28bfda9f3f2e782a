"""The document of ``orderctl events``."""

from orderctl.output.documents import Document
from orderd.domain.events import OrderEvent


class Events(Document):
    order_id: str
    events: tuple[OrderEvent, ...]
