"""The tab bar of the blotter."""

from collections.abc import Mapping
from enum import StrEnum

from textual.content import Content
from textual.style import Style
from textual.widgets import Static


class Tab(StrEnum):
    """The tabs, in the order of the keys 1 to 4."""

    ACTIVE = "active"
    OPEN = "open"
    HISTORY = "history"
    FILLS = "fills"


class Tabs(Static):
    def show(self, shown: Tab, counts: Mapping[Tab, str]) -> None:
        parts: list[Content] = []
        for number, tab in enumerate(Tab, start=1):
            colours = "bold $text-primary on $primary-muted" if tab is shown else "$foreground-muted"
            label = Content.styled(f" {number} {tab.capitalize()} {counts.get(tab, '')}".rstrip() + " ", colours)
            parts.append(label.stylize(Style.from_meta({"@click": f"screen.tab('{tab}')"})))
            parts.append(Content(" "))
        content = Content("").join(parts)
        if self.content != content:
            self.update(content, layout=False)
