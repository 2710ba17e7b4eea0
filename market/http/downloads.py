"""Files that belong to one person or co-op: given by name, kept by no cache on the way."""

from flask import Response


def download(body: bytes, *, name: str, content_type: str) -> Response:
    """Return bytes as a file to be saved."""
    response = Response(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
