"""Renders the findings of ``orderctl doctor``."""

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.constrain import Constrain
from rich.text import Text

from orderctl.display.tables import Column, IfItFits, fitting_table, plain_table
from orderctl.output.colours import CHECK_TONES, Tone
from orderctl.output.documents import Finding

_COLUMNS: Final[tuple[Column, ...]] = (("CHECK", "left"), ("", "left"), ("FOUND", "left"), ("TO DO", "left"))


def findings_view(findings: Sequence[Finding], width: int) -> RenderableType:
    """A table of findings, with each fix beside its finding, or below it on a narrow terminal. Nothing is cut."""
    columns = _COLUMNS if any(finding.fix for finding in findings) else _COLUMNS[:-1]
    rows = [(finding.check, _result(finding), finding.detail, finding.fix) for finding in findings]
    narrow = plain_table(*_COLUMNS[:-1])
    narrow.columns[-1].no_wrap, narrow.columns[-1].overflow = False, "fold"
    for finding in findings:
        todo = Text.assemble("\n", ("next: ", Tone.HINT), finding.fix) if finding.fix else Text()
        narrow.add_row(finding.check, _result(finding), Text(finding.detail).append(todo))
    return IfItFits(fitting_table(columns, rows), Constrain(narrow, width))


def _result(finding: Finding) -> Text:
    return Text(finding.result, CHECK_TONES[finding.result])
