"""The transition table is the only list of states: no statement and no screen has its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import db
import orderctl
import orderd
from orderd.domain.order import OrderStatus

ROOTS = [Path(package.__path__[0]) for package in (orderd, orderctl, db)]
FROZEN = ("migrations", "simnet")
IN_SQL = re.compile(rf"'({'|'.join(OrderStatus)})'")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for root in ROOTS:
        for path in root.rglob("*.py"):
            if not {*FROZEN} & {*path.parts}:
                yield str(path.relative_to(root.parent)), ast.parse(path.read_text())


def test_no_sql_statement_names_a_state_literally() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value)
    ]
    assert found == []


def test_no_module_lists_states_besides_the_table() -> None:
    """Modules with a word per state have tests that check them for completeness."""
    allowed = {"orderd/domain/order.py", "orderctl/output/colours.py"}
    found = [
        f"{name}:{node.lineno}"
        for name, module in modules()
        if name not in allowed
        for node in ast.walk(module)
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and sum(map(_is_state, node.elts)) > 1
    ]
    assert found == []


def _is_state(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "OrderStatus"
        and node.attr in OrderStatus.__members__
    )
