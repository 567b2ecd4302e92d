"""The API documentation as a page: Swagger UI, pinned to a version and to its content.

The files come from a public mirror of npm; the browser refuses them where they are not those of
the hashes. The policy lets the page load these two, ask this service, and nothing else.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape

SWAGGER = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0"
SCRIPT = f"{SWAGGER}/swagger-ui-bundle.js"
SCRIPT_HASH = "sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9"
STYLE = f"{SWAGGER}/swagger-ui.css"
STYLE_HASH = "sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I"

_START = (
    'SwaggerUIBundle({url: "openapi.json", dom_id: "#docs", deepLinking: true, '
    "persistAuthorization: false});"
)
_START_HASH = b64encode(sha256(_START.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src {SCRIPT} 'sha256-{_START_HASH}'; "
    # Swagger UI sets styles on its elements.
    f"style-src {STYLE} 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_page(title: str) -> str:
    """The page's HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{STYLE}" integrity="{STYLE_HASH}" crossorigin="anonymous">
</head>
<body>
<noscript>The same description is at <a href="openapi.json">openapi.json</a>.</noscript>
<div id="docs"></div>
<script src="{SCRIPT}" integrity="{SCRIPT_HASH}" crossorigin="anonymous"></script>
<script>{_START}</script>
</body>
</html>
"""
