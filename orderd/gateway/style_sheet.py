"""The style sheet of a page that the gateway serves, and the policy under which the page loads nothing else."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup


class StyleSheet:
    """A file of a package of ours, for the page to hold in itself."""

    def __init__(self, package: str, file: str) -> None:
        text = files(package).joinpath(file).read_text()
        self.markup = Markup(text)  # noqa: S704  (our own file)
        hashed = b64encode(sha256(text.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        """The page's Content-Security-Policy: no scripts, no other styles, no external resources."""
