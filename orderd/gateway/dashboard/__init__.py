"""The dashboard: a page that shows how the daemon fares, without scripts, renewed by the browser itself."""
