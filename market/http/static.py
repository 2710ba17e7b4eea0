"""Files that every page needs: their address carries a hash of their content, so a browser asks for each once; packed once."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from market.http import packing
from market.http.conditional import ready
from market.kernel.words import N_

FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; `packed` where that makes it smaller."""

    content: bytes
    packed: bytes | None
    kind: str
    tag: str


@lru_cache(maxsize=64)
def _read(path: str, _changed_ns: int) -> File:
    content = Path(path).read_bytes()
    if path.endswith(".js"):
        content = _plain(content)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = packing.pack(content, level=9) if packing.packs(kind) else None
    kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    return File(content, packed, kind, hashlib.blake2b(content, digest_size=6).hexdigest())


def _plain(script: bytes) -> bytes:
    """Return a script of ours without what only its readers need: comments, and the blanks beside signs.

    What stands in quotes is left as it is. Our scripts end their statements with a semicolon, so that lines need no ends,
    and have no template within a template.
    """
    for comment in (rb"(?s)/\*.*?\*/", rb"(?m)\s// .*$"):
        script = re.sub(comment, b"", script)
    parts = re.split(rb"(\"[^\"\n]*\"|`[^`]*`)", script)
    parts[::2] = [re.sub(rb"\s*([=?:{}(),;<>&|!\[\]])\s*|\s+", lambda found: found[1] or b" ", code) for code in parts[::2]]
    return b"".join(parts).strip()


def _file(folder: str, filename: str) -> File | None:
    path = safe_join(folder, filename)
    try:
        return _read(path, Path(path).stat().st_mtime_ns) if path else None
    except (FileNotFoundError, IsADirectoryError):
        return None


def init_app(app: Flask) -> None:
    """Serve the static files; `url_for("static", filename=...)` names their version."""
    folder = str(app.static_folder)

    def static(filename: str) -> Response:
        found = _file(folder, filename)
        if found is None:
            raise NotFound(N_("There is no such file."))
        current = request.args.get("v") == found.tag
        response = ready(found.content, content_type=found.kind, cache=FOR_EVER if current else "no-cache", tag=found.tag)
        if found.packed is not None:
            packing.deliver(response, found.packed)
        return response

    def versioned(endpoint: str, values: dict[str, str]) -> None:
        if endpoint == "static" and (found := _file(folder, values.get("filename", ""))):
            values["v"] = found.tag

    app.view_functions["static"] = static
    app.url_defaults(versioned)
