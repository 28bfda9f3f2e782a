"""HTTP routes for tokens: known tokens, search by symbol, and naming by an operator."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from orderd.domain.errors import ErrorCode
from orderd.gateway.access.body import StrictRoute, json_only
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import category, problems, success
from orderd.gateway.http.backend import Administrator, GatewayBackend, Reader
from orderd.wire.message import NoParams
from orderd.wire.tokens import (
    TokensFound,
    TokensNameParams,
    TokensNameResult,
    TokensResult,
    TokensSearchParams,
    TokensUnnameParams,
    TokensUnnameResult,
)


def tokens_router() -> APIRouter:
    router = APIRouter(prefix="/api/tokens", tags=["tokens"], route_class=StrictRoute)

    @router.get(
        "",
        summary="List the tokens",
        response_description="The tokens that have a symbol here. Any other token is named by the address of its mint.",
        responses=success(200, examples.TOKENS) | problems(),
    )
    async def list_tokens(
        backend: GatewayBackend, caller: Reader, params: Annotated[NoParams, Query()]
    ) -> TokensResult:
        return await backend.market.tokens(caller, params)

    @router.get(
        "/search",
        summary="Search for a token",
        response_description="Tokens with similar names, the closest and the verified ones first.",
        responses=success(200, examples.TOKENS_FOUND) | problems(),
    )
    async def search_tokens(
        backend: GatewayBackend, caller: Reader, params: Annotated[TokensSearchParams, Query()]
    ) -> TokensFound:
        return await backend.market.search_tokens(caller, params)

    @router.post(
        "",
        summary="Pin a symbol to a mint",
        response_description="The token with its new symbol.",
        responses=success(200, examples.TOKEN_NAMED)
        | problems(
            *category("TOKEN", "RPC"),
            ErrorCode.REQUEST_TOO_LARGE,
            ErrorCode.REQUEST_MEDIA_TYPE,
            ErrorCode.SERVICE_TIMEOUT,
        ),
    )
    async def name_token(
        backend: GatewayBackend,
        caller: Administrator,
        _json: Annotated[None, Depends(json_only)],
        body: Annotated[TokensNameParams, Body(openapi_examples=examples.NAME_BODIES)],
        _query: Annotated[NoParams, Query()],
    ) -> TokensNameResult:
        return await backend.market.name_token(caller, body)

    @router.delete(
        "",
        summary="Unpin a symbol",
        response_description="The number of mints to which the symbol was pinned.",
        responses=success(200, examples.TOKEN_UNNAMED) | problems(ErrorCode.SERVICE_TIMEOUT),
    )
    async def unname_token(
        backend: GatewayBackend,
        caller: Administrator,
        params: Annotated[TokensUnnameParams, Query()],
    ) -> TokensUnnameResult:
        return await backend.market.unname_token(caller, params)

    return router
