"""The routes that a browser asks for: the page, its assets, the description of the contract."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from serve_app import dashboard
from serve_app.api.docs_page import CONTENT_SECURITY_POLICY as DOCS_POLICY
from serve_app.api.docs_page import docs_page
from serve_app.api.problems import NotFound

# Asked for again at each visit, so that a new version never mixes old and new modules; what has
# not changed is not sent again.
ASSET_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
DOCS_HEADERS = {"Content-Security-Policy": DOCS_POLICY, "Cache-Control": "no-cache"}
PAGE_HEADERS = {"Content-Security-Policy": dashboard.CONTENT_SECURITY_POLICY, **ASSET_HEADERS}


def add_page_routes(api: FastAPI) -> None:
    """Add them to the application."""

    @api.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return _sent(dashboard.page(), request, PAGE_HEADERS)

    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(api.title), headers=DOCS_HEADERS)

    @api.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        try:
            found = dashboard.asset(name)
        except KeyError:
            raise NotFound("expected an asset of the dashboard") from None
        return _sent(found, request, ASSET_HEADERS)


def _sent(asset: dashboard.Asset, request: Request, headers: dict[str, str]) -> Response:
    """An asset as this browser takes it: compressed, or not at all where it has it already."""
    # Weak, for the same content goes out in two encodings.
    tag = f'W/"{asset.tag}"'
    headers = {**headers, "ETag": tag}
    if tag in _listed(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    if not _takes_gzip(request):
        return Response(asset.content, media_type=asset.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(asset.gzipped, media_type=asset.media_type, headers=headers)


def _listed(request: Request, header: str) -> list[str]:
    return [item.strip() for item in request.headers.get(header, "").split(",")]


def _takes_gzip(request: Request) -> bool:
    for coding in _listed(request, "accept-encoding"):
        name, _, quality = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return quality.strip("0.") != "" or quality == ""
    return False
