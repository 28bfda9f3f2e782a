"""Generates the reference parts of the documents from the program.

``python -m orderd.config.reference`` in the project's directory writes them into ``DOCUMENTS`` and .env.example; a test
fails when they differ from what is there.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orderd.config.settings import Settings
from orderd.domain.errors import ERRORS
from orderd.metrics.listing import SUBJECTS, listed
from orderd.simnet.faults import Faults

_MACHINE_DEFAULTS = {"state_dir": "~/.local/state/orderd"}
"""Defaults that differ from one machine to another."""

_ENVIRONMENT_HEADER = """\
# Settings of orderd, for docker compose, systemd (EnvironmentFile) or a shell. Every line that is commented out shows
# the default. Keep the file to yourself (chmod 600): it holds passwords, and an RPC address may hold a key.

# The password of the Postgres in docker-compose.yml. Only letters and digits: it becomes part of an address.
POSTGRES_PASSWORD=
"""


def settings_table() -> str:
    rows = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = _default(name, field)
        rows.append(f"| `{_variable(name)}` | {f'`{default}`' if default else ''} | {_meaning(field)} |")
    return "\n".join(rows)


def errors_table() -> str:
    rows = ["| Code | What it means | What to do | Try again? | An order |", "| --- | --- | --- | --- | --- |"]
    for code, spec in ERRORS.items():
        again = "yes" if spec.retryable else "no"
        rows.append(f"| `{code}` | {spec.title} | {_cell(spec.next_step)} | {again} | {spec.consequence} |")
    return "\n".join(rows)


def faults_table() -> str:
    return _json_members("Fault", Faults())


def nodes_table() -> str:
    return _json_members("Node", Faults().views)


def _json_members(heading: str, defaults: BaseModel) -> str:
    """The members of a JSON object."""
    values = defaults.model_dump(mode="json")
    rows = [f"| {heading} | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in type(defaults).model_fields.items():
        default = "below" if isinstance(getattr(defaults, name), BaseModel) else f"`{json.dumps(values[name])}`"
        rows.append(f"| `{name}` | {default} | {_meaning(field)} |")
    return "\n".join(rows)


def metrics_table() -> str:
    rows = ["| Metric | Type | Labels | Meaning |", "| --- | --- | --- | --- |"]
    for subject, (source, module) in SUBJECTS.items():
        rows.append(f"| **{subject}** | | | Reported by {source} |")
        for each in listed(module):
            labels = ", ".join(f"`{label}`" for label in each.labels)
            rows.append(f"| `{each.name}` | {each.kind} | {labels} | {_cell(each.documentation)} |")
    return "\n".join(rows)


def environment_example() -> str:
    parts = [_ENVIRONMENT_HEADER]
    for name, field in Settings.model_fields.items():
        parts.append(f"# {_meaning(field).replace('`', '')}\n# {_variable(name)}={_default(name, field)}\n")
    return "\n".join(parts)


DOCUMENTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/configuration.md": {"settings": settings_table},
    "docs/monitoring.md": {"metrics": metrics_table},
    "docs/troubleshooting.md": {"errors": errors_table},
    "docs/simnet.md": {"faults": faults_table, "nodes": nodes_table},
}
"""The tables of each document, by the name in their markers."""


def with_tables(document: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """``document`` with the tables between its markers renewed. Raises ValueError when it lacks a marker."""
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found_begin, rest = document.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found_begin or not found_end:
            raise ValueError(f"the document has no place for {name}: {begin} {end}")
        document = f"{before}{begin}\n{table()}\n{end}{after}"
    return document


def _variable(name: str) -> str:
    return f"ORDERD_{name.upper()}"


def _default(name: str, field: FieldInfo) -> str:
    if name in _MACHINE_DEFAULTS:
        return _MACHINE_DEFAULTS[name]
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def _meaning(field: FieldInfo) -> str:
    return _cell(" ".join((field.description or "").replace("``", "`").split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for name, tables in DOCUMENTS.items():
        path = Path(name)
        path.write_text(with_tables(path.read_text(), tables))
    Path(".env.example").write_text(environment_example())
