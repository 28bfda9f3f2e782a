"""Defers modules that libraries import but that most commands never use, until one is used.

Python 3.15 can do this for all imports (PEP 810). ``importlib.util.LazyLoader`` does not serve here: it executes a
module as soon as another ``import`` statement names it, and imports the package of a deferred module.
"""

import sys
import urllib  # noqa: F401  (the package of a deferred module, and empty)
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any, Final

DEFERRED: Final = (
    "bz2",  # shutil: archives
    "lzma",
    "csv",  # importlib.metadata: the files of an installed package
    "zipfile",
    "importlib.metadata._adapters",  # with email: the metadata of an installed package
    "ssl",  # websockets: a daemon with TLS
    "subprocess",  # typer: the shell's completion
    "tokenize",  # linecache: the lines of a traceback
    "urllib.request",  # websockets: the system's proxy
)
"""Modules of the standard library, with the library that imports each, and its use."""

_LOCK = Lock()


class _Deferred(ModuleType):
    """Takes the place of a module, and imports it when one of its attributes is read."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (as in every module)
        with _LOCK:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def defer_imports() -> None:
    """Defer the modules that are not imported yet."""
    for name in DEFERRED:
        if name not in sys.modules:
            sys.modules[name] = deferred = _Deferred(name)
            package, _, child = name.rpartition(".")
            if package in sys.modules:
                setattr(sys.modules[package], child, deferred)
