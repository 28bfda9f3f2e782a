"""The documentation page: it lists everything that is served, and loads nothing from elsewhere."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import httpx
import pytest

from orderd.domain.errors import ErrorCode

pytestmark = pytest.mark.asyncio


class Page(HTMLParser):
    """What the page links to, names and loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: list[str] = []
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has {name}"
            assert name != "style", f"{tag} has an inline style, which the policy forbids"
            if name == "id":
                self.names.append(value or "")
            elif name == "href":
                self.links.add(value or "")
            elif name in ("src", "srcset", "action"):
                self.loads.add(value or "")


async def test_the_page_loads_and_runs_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    page = Page(answer.text)
    assert not page.loads
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert "url(" not in answer.text
    assert "@import" not in answer.text


async def test_the_content_security_policy_allows_only_the_pages_style(http: httpx.AsyncClient) -> None:
    answer = await http.get("/docs")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, flags=re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert (policy.pop("default-src"), policy.pop("style-src")) == ("'none'", f"'sha256-{digest}'")
    assert set(policy.values()) == {"'none'"}


async def test_the_page_lists_everything_served_and_its_links_resolve(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    page = Page((await http.get("/docs")).text)
    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert operations | set(ErrorCode) <= set(page.names)
    assert len(page.names) == len(set(page.names))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.names, link
        else:
            assert (await http.get(link)).status_code == 200, link


async def test_every_example_on_the_page_can_be_sent(http: httpx.AsyncClient) -> None:
    html = (await http.get("/docs")).text
    bodies = {
        path: body.replace("&#34;", '"')
        for path, body in re.findall(rf"{re.escape(str(http.base_url))}(/\S+?)&#39;[^<]*?-d &#39;(.*?)&#39;", html)
    }
    order, resolution = bodies.pop("/api/orders"), bodies.pop("/api/orders/rebalance-2026-11-21/resolution")
    amendment, naming = bodies.pop("/api/orders/rebalance-2026-11-21"), bodies.pop("/api/tokens")
    halting = bodies.pop("/api/halt")
    assert not bodies
    headers = {"Content-Type": "application/json"}
    sent = await http.post("/api/orders", content=order, headers=headers)
    assert sent.status_code == 201
    changed = await http.patch(sent.headers["Location"], content=amendment, headers=headers)
    assert changed.json()["code"] == "ORDER_NOT_AMENDABLE", "the example is valid; the order does not rest"
    refused = await http.post(f"{sent.headers['Location']}/resolution", content=resolution, headers=headers)
    assert refused.json()["code"] == "ORDER_NOT_RESOLVABLE", "the example is valid; the order has no attempt"
    named = await http.post("/api/tokens", content=naming, headers=headers)
    assert named.json().get("code", "TOKEN_NO_MINT") == "TOKEN_NO_MINT", (
        "the example is valid; this chain may not have the mint"
    )
    assert (await http.post("/api/halt", content=halting, headers=headers)).status_code == 200
