"""Identifies the code that computes quotes: a proof is valid only for the code that was compared.

Comments, docstrings and the handlers for simnet are not part of the identity, because they do not affect quotes.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from orderd.domain.pool_kind import PoolKind

_OF_THE_LOCAL_CHAIN = "simnet"


@cache
def quoting_code(kind: PoolKind) -> str:
    """A digest of the code that reads pools of the kind, quotes and swaps in them: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for package in ("orderd.amm", f"orderd.pools.{kind}"):
        for name, source in sorted(_modules(resources.files(package), package)):
            digest.update(f"{name}\0{meaning(source)}\0".encode())
    return digest.hexdigest()


def meaning(source: str) -> str:
    """A module's syntax tree as text, without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_docstring(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is only a constant, such as a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _modules(folder: Traversable, name: str) -> Iterator[tuple[str, str]]:
    for each in folder.iterdir():
        if each.is_dir():
            if each.name not in (_OF_THE_LOCAL_CHAIN, "__pycache__"):
                yield from _modules(each, f"{name}.{each.name}")
        elif each.name.endswith(".py"):
            yield f"{name}.{each.name}", each.read_text()
