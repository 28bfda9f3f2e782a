"""Custom key bindings: a file next to the configuration file that assigns keys to binding ids.

# keys.toml
cancel = "x"
quit = "ctrl+q,Q"
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from textual.binding import Binding
from textual.dom import DOMNode

from orderctl.config.origins import config_path, read_text
from orderctl.tui import screens
from orderd.client.errors import unusable


def keymap_path(environ: Mapping[str, str]) -> Path:
    return config_path(environ).with_name("keys.toml")


def read_keymap(path: Path, binding_ids: Callable[[], Collection[str]]) -> dict[str, str]:
    """Read the keymap; empty if there is no file. Raises ConfigError for an invalid file or an unknown binding id.

    ``binding_ids`` is only called if there is a file, because it imports all screens.
    """
    import tomllib  # imported here because most traders have no such file

    try:
        content = tomllib.loads(read_text(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise unusable(str(path), str(error)) from error
    known = binding_ids()
    keys: dict[str, str] = {}
    for name, key in content.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; use one of {', '.join(sorted(known))}"
            raise unusable(str(path), f"there is no binding {name!r}{hint}")
        if not isinstance(key, str) or not key.strip():
            raise unusable(str(path), f'{name} must be a key in quotes, such as "x" or "ctrl+k,f5"')
        keys[name] = key
    return keys


def binding_ids() -> frozenset[str]:
    """The ids of the bindings of the application and of all screens."""
    for screen in iter_modules(screens.__path__):
        import_module(f"{screens.__name__}.{screen.name}")
    return frozenset(_ids(DOMNode))


def _ids(kind: type[DOMNode]) -> Iterator[str]:
    for binding in kind.__dict__.get("BINDINGS", ()):
        if isinstance(binding, Binding) and binding.id is not None:
            yield binding.id
    for below in kind.__subclasses__():
        yield from _ids(below)
