"""Pages for people: HTML that loads nothing but this hub's own files, and says so in its Content-Security-Policy."""

from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import Response

HTML: Final = "text/html"

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Swagger UI asks nothing but the hub itself; its drawings are data: addresses, and it sets a few styles on elements.
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

DRAWING_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""Of a drawing that somebody opens by itself: it is a document then, and may do nothing at all."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/assets/favicon.png">
{head}
</head>
<body>
{body}
</body>
</html>
"""

_OWN: Final = files("app.web").joinpath("static")
_SWAGGER_UI: Final = files("fastapi_offline").joinpath("static")

ASSETS: Final[dict[str, tuple[Traversable, str]]] = {
    "swagger-ui-bundle.js": (_SWAGGER_UI.joinpath("swagger-ui-bundle.js"), "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI.joinpath("swagger-ui.css"), "text/css"),
    "favicon.png": (_SWAGGER_UI.joinpath("favicon.png"), "image/png"),
    "docs.js": (_OWN.joinpath("docs.js"), "text/javascript"),
    "docs.css": (_OWN.joinpath("docs.css"), "text/css"),
    "page.css": (_OWN.joinpath("page.css"), "text/css"),
}
"""The files that pages load, by name: ours, and of Swagger UI's package only those that load nothing themselves."""


def page(title: str, body: str) -> Response:
    """A page of text; `body` is HTML whose parts are escaped already."""
    head = '<link rel="stylesheet" href="/docs/assets/page.css">'
    text = _PAGE.format(title=escape(title), head=head, body=body)
    return Response(
        text, headers={"Content-Security-Policy": _POLICY, "Vary": "Accept, Accept-Encoding"}, media_type=HTML
    )


def docs_page() -> Response:
    """The description of the API to read and to try out."""
    head = (
        '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">\n'
        '<link rel="stylesheet" href="/docs/assets/docs.css">\n'
        '<script src="/docs/assets/swagger-ui-bundle.js" defer></script>\n'
        '<script src="/docs/assets/docs.js" defer></script>'
    )
    body = '<div id="calls"></div>\n<noscript>This page needs JavaScript; the text is at /openapi.json.</noscript>'
    text = _PAGE.format(title="Interdesk API", head=head, body=body)
    return Response(text, headers={"Content-Security-Policy": _DOCS_POLICY}, media_type=HTML)
