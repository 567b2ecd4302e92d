"""The routes that a browser asks for: the page, its assets, the description of the contract."""

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from serve_app import dashboard
from serve_app.api.docs_page import CONTENT_SECURITY_POLICY as DOCS_POLICY
from serve_app.api.docs_page import docs_page
from serve_app.api.problems import NotFound

# Asked for again at each visit, so that a new version never mixes old and new modules.
ASSET_HEADERS = {"Cache-Control": "no-cache"}
DOCS_HEADERS = {"Content-Security-Policy": DOCS_POLICY, **ASSET_HEADERS}
PAGE_HEADERS = {"Content-Security-Policy": dashboard.CONTENT_SECURITY_POLICY, **ASSET_HEADERS}


def add_page_routes(api: FastAPI) -> None:
    """Add them to the application."""

    @api.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(dashboard.page(), headers=PAGE_HEADERS)

    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(api.title), headers=DOCS_HEADERS)

    @api.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        try:
            content, media_type = dashboard.asset(name)
        except KeyError:
            raise NotFound("expected an asset of the dashboard") from None
        return Response(content, media_type=media_type, headers=ASSET_HEADERS)
