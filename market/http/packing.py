"""Answers packed by gzip where the browser takes that: a page of cards shrinks to a sixth, which a slow line notices.

The session's cookie is SameSite=Lax, so nobody can make a visitor's browser ask for pages with guesses in them and measure
their sizes (BREACH).
"""

import zlib

from flask import Flask, Response, request

SMALLEST = 860  # below this a packet is a packet
LEVEL = 4  # a quarter of the time of level 9 and nearly as small
_KINDS = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")


def packs(kind: str | None) -> bool:
    """Whether content of this kind gets smaller."""
    return kind is not None and kind.startswith(_KINDS)


def pack(content: bytes, level: int = LEVEL) -> bytes:
    """Return `content` in the gzip format."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(content) + packer.flush()


def deliver(response: Response, packed: bytes) -> None:
    """Exchange the body for the packed one where it is asked for; a 304 says the same about both."""
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings.quality("gzip"):
        return
    if response.status_code != 304:
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)  # the same page in other bytes


def _pack(response: Response) -> Response:
    if response.is_streamed or response.direct_passthrough or "Content-Encoding" in response.headers:
        return response
    if not packs(response.content_type) or request.endpoint == "static":
        return response
    length = response.content_length or 0
    if response.status_code == 304 or length >= SMALLEST:
        deliver(response, b"" if response.status_code == 304 else pack(response.get_data()))
    return response


def init_app(app: Flask) -> None:
    """Pack every page that is large enough."""
    app.after_request(_pack)
