"""A FastAPI application behind the gate, which says in its description what each route needs."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from serve_app.access.access import Access
from serve_app.access.gate import Gate
from serve_app.access.scopes import ROUTE_SCOPES, UNCOUNTED_ROUTES
from serve_app.access.security_headers import SecurityHeaders
from serve_app.api.problems import (
    MEDIA_TYPE,
    Forbidden,
    MisplacedKey,
    ServiceProblem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, `htf..._...`. Not asked for as long as the store never had one "
        "and the service listens on loopback.",
    },
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
EVERYWHERE: tuple[type[ServiceProblem], ...] = (MisplacedKey, Forbidden, Unavailable)


class GuardedAPI(FastAPI):
    """FastAPI with the gate before its routes and the security headers on all its answers.

    Without `access` there is no gate: for what looks at the routes alone.
    """

    def __init__(self, *, access: Access | None, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(**options)
        self._access = access

    def build_middleware_stack(self) -> ASGIApp:
        """The gate goes outside all other middleware, the headers outside of everything."""
        if self._access is not None:
            gate = Middleware(Gate, access=self._access, routes=self.routes)
            self.user_middleware.insert(0, gate)
        return SecurityHeaders(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """The description of the routes, with the keys and scopes that they need."""
        described = self.openapi_schema is not None
        schema = super().openapi()
        if not described:
            _describe(schema)
        return schema


def _describe(schema: dict[str, Any]) -> None:
    schema.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            route = (method.upper(), path)
            scope = ROUTE_SCOPES.get(route, "admin")
            kinds = list(EVERYWHERE)
            if route not in UNCOUNTED_ROUTES:
                kinds.append(TooManyRequests)
            if scope is not None:
                operation["security"] = [{name: [scope]} for name in SECURITY_SCHEMES]
                kinds.append(Unauthorized)
            for kind in kinds:
                operation["responses"].setdefault(str(kind.status), _response(kind))


def _response(kind: type[ServiceProblem]) -> dict[str, Any]:
    """A problem in the words of OpenAPI."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": kind.title, "content": {MEDIA_TYPE: content}}
