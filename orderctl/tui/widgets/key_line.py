"""The keys of a screen, as one line at its foot. A click on a key presses it.

A narrow line leaves out the last keys, but not the one that shows all of them.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

KEPT = "help"


class KeyLine(Widget):
    """Replaces Textual's Footer, which has a widget per key and mounts all of them again at each change of the focus:
    a dialog took twice as long to open."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    def __init__(self) -> None:
        super().__init__()
        self.keys: tuple[tuple[Binding, bool], ...] = ()
        """What is shown, and whether it can be pressed now."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is not self.screen:
            return
        by_action: dict[str, tuple[Binding, bool]] = {}
        for _, binding, is_enabled, _ in screen.active_bindings.values():
            if binding.show:
                by_action.setdefault(binding.action, (binding, is_enabled))
        if (keys := tuple(by_action.values())) != self.keys:
            self.keys = keys
            self.refresh()

    def render(self) -> Content:
        groups = [(group, Content.assemble(*self._parts(keys))) for group, keys in groupby(self.keys, _group)]
        while len(groups) > 1 and sum(shown.cell_length for _, shown in groups) > self.size.width:
            groups.pop(-2 if groups[-1][0] == KEPT else -1)
        return Content.assemble(*(shown for _, shown in groups))

    def _parts(self, keys: Iterable[tuple[Binding, bool]]) -> Iterator[Content | str]:
        """The keys of a group share one description."""
        key_style = self.get_visual_style("key-line--key")
        description = ""
        yield " "
        for binding, is_enabled in keys:
            pressed = Style.from_meta({"@click": f"app.simulate_key({binding.key!r})"})
            style = key_style + pressed if is_enabled else key_style + Style(dim=True)
            yield Content.styled(self.app.get_key_display(binding), style)
            description = binding.description if binding.group is None else binding.group.description
        yield f" {description}"


def _group(key: tuple[Binding, bool]) -> object:
    binding, _ = key
    return binding.group or binding.action
