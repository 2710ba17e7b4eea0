"""Photos: what people upload becomes three small WebP files without any of the original's data.

The upload is hostile until proven otherwise: only JPEG, PNG and WebP decoders are tried, the pixel count is read from the
header before anything is decoded (a bomb costs nothing), and what is kept is re-encoded pixels, so EXIF with its place
and owner, colour profiles, comments and appended archives are gone.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.catalogue.errors import PhotoRefused
from market.catalogue.ports import Files
from market.kernel.words import say

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
MIN_EDGE = 64
WIDTHS = (320, 640, 1280)
FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size of a photo. `key` is its address in the store."""

    key: str
    width: int
    height: int
    content: bytes


def render(upload: bytes) -> list[Rendition]:
    """Return the sizes of a photo, smallest first; a small original is not blown up.

    Raises PhotoRefused with what to do for everything that is no ordinary photo.
    """
    from PIL import Image, ImageOps  # here, not above: Pillow costs the cold start and only uploads need it

    if len(upload) > MAX_BYTES:
        raise PhotoRefused(
            say(
                "The photo has %(num)s MB; the most is %(max_bytes)s MB. Choose a smaller one.",
                num=len(upload) // 1024 // 1024,
                max_bytes=MAX_BYTES // 1024 // 1024,
            )
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            original = Image.open(io.BytesIO(upload), formats=FORMATS)
            width, height = original.size
            if width * height > MAX_PIXELS:
                raise PhotoRefused(
                    say(
                        "The photo has %(width)s x %(height)s pixels, more than %(max_pixels)s million. Choose a smaller one.",
                        width=width,
                        height=height,
                        max_pixels=MAX_PIXELS // 1000000,
                    )
                )
            if min(width, height) < MIN_EDGE:
                raise PhotoRefused(
                    say(
                        "The photo has only %(width)s x %(height)s pixels. Choose one of at least %(min_edge)s x %(min_edge)s.",
                        width=width,
                        height=height,
                        min_edge=MIN_EDGE,
                    )
                )
            original.draft("RGB", (WIDTHS[-1] * 2, WIDTHS[-1] * 2))
            upright = ImageOps.exif_transpose(original).convert("RGB")
    except PhotoRefused:
        raise
    except Exception as error:  # decoders raise whatever a broken file leads them to
        raise PhotoRefused(
            "This file is no JPEG, PNG or WebP photo, or it is damaged. Save it again and choose it once more."
        ) from error
    name = hashlib.sha256(upload).hexdigest()[:32]
    return [_rendition(upright, name, width) for width in WIDTHS]


def keep(files: Files, upload: bytes) -> list[Rendition]:
    """Make the sizes of an upload and store them. It is slow and goes outside, so it comes before any unit of work.

    Raises PhotoRefused, and what the store raises.
    """
    sizes = render(upload)
    for size in sizes:
        files.put(key=size.key, content=size.content, content_type="image/webp")
    return sizes


def _rendition(upright: "Picture", name: str, width: int) -> Rendition:
    copy = upright.copy()
    copy.thumbnail((width, width * 2))
    target = io.BytesIO()
    copy.save(target, "WEBP", quality=80, method=4)
    return Rendition(key=f"photos/{name}-{width}.webp", width=copy.width, height=copy.height, content=target.getvalue())
