"""Files that belong to one person or co-op: given by name, kept by no cache on the way."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

from market.kernel.sheets import csv_lines


def download(body: bytes, *, name: str, content_type: str) -> Response:
    """Return bytes as a file to be saved."""
    response = Response(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def streamed_csv(name: str, headings: Sequence[str], rows: Iterator[Sequence[Any]]) -> Response:
    """Answer with rows as a CSV file that streams."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(stream_with_context(csv_lines(headings, rows)), content_type="text/csv; charset=utf-8", headers=headers)
