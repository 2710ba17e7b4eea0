"""Uploads are hostile until proven otherwise."""

import io
import struct
import zlib

import pytest
from PIL import Image

from market.catalogue import photos
from market.catalogue.errors import PhotoRefused


def picture(width: int = 800, height: int = 600, kind: str = "JPEG", exif: bool = False) -> bytes:
    """Return a small real photo; with `exif`, one that names a place and stands on its side."""
    image = Image.new("RGB", (width, height), (120, 80, 40))
    data = image.getexif()
    if exif:
        data[0x010E] = "taken at the secret place"
        data[0x0112] = 6
    target = io.BytesIO()
    image.save(target, kind, exif=data)
    return target.getvalue()


def test_render_makes_three_webp_sizes_without_the_originals_data() -> None:
    sizes = photos.render(picture(2000, 1000, exif=True))
    assert [(size.width, size.height) for size in sizes] == [(320, 640), (640, 1280), (1000, 2000)]  # turned upright
    for size in sizes:
        assert b"secret" not in size.content
        image = Image.open(io.BytesIO(size.content))
        assert image.format == "WEBP"
        assert not image.getexif()


def test_render_names_the_content_and_does_not_blow_up() -> None:
    one, same = photos.render(picture(100, 80)), photos.render(picture(100, 80))
    assert [size.key for size in one] == [size.key for size in same]
    assert {size.width for size in one} == {100}


def bomb() -> bytes:
    """A PNG that says it has 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "upload",
    [
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        picture()[:300],
        bomb(),
        picture(20, 20),
        b"\xff" * (photos.MAX_BYTES + 1),
        picture(kind="BMP"),
    ],
    ids=["empty", "gif", "svg", "truncated", "bomb", "tiny", "too-large", "bmp"],
)
def test_render_refuses_what_is_no_ordinary_photo(upload: bytes) -> None:
    with pytest.raises(PhotoRefused):
        photos.render(upload)
