"""A sheet to draw soft flat forms on, for the demo's pictures."""

import io
from collections.abc import Callable
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw

WIDTH, HEIGHT, _FINER = 960, 720, 2
Colour = str
Point = tuple[float, float]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return a colour between two."""
    pairs = [(int(a[n : n + 2], 16), int(b[n : n + 2], 16)) for n in (1, 3, 5)]
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)


def dark(colour: Colour, share: float = 0.25) -> Colour:
    """Return the colour in the shade."""
    return mix(colour, "#1d120a", share)


def light(colour: Colour, share: float = 0.3) -> Colour:
    """Return the colour in the light."""
    return mix(colour, "#fff6e0", share)


class Sheet:
    """A sheet to draw on, in pixels of the finished picture; drawn finer and made smaller at the end, so edges are soft."""

    def __init__(self, seed: str, width: int = WIDTH) -> None:
        self.chance = Random(seed)  # the same seed gives the same picture
        self.image = Image.new("RGB", (width * _FINER, HEIGHT * _FINER))
        self.draw = ImageDraw.Draw(self.image)
        self.scale, self.across, self.down = 1.0, 0.0, 0.0

    def _fine(self, points: list[Point]) -> list[Point]:
        return [((x * self.scale + self.across) * _FINER, (y * self.scale + self.down) * _FINER) for x, y in points]

    def shape(self, points: list[Point], fill: Colour) -> None:
        """Fill what the points enclose."""
        self.draw.polygon(self._fine(points), fill=fill)

    def smooth(self, points: list[Point], fill: Colour) -> None:
        """Fill a soft form through the points (Catmull-Rom)."""
        self.shape(curve(points), fill)

    def oval(self, x: float, y: float, wide: float, high: float, fill: Colour, turn: float = 0) -> None:
        """Fill an ellipse, turned by `turn` radians."""
        self.shape(around(x, y, wide, high, turn), fill)

    def line(self, points: list[Point], width: float, fill: Colour) -> None:
        """Draw a soft line with round ends."""
        bent = curve(points, closed=False)
        self.draw.line(self._fine(bent), fill=fill, width=round(width * self.scale * _FINER), joint="curve")
        for x, y in (bent[0], bent[-1]):
            self.oval(x, y, width / 2, width / 2, fill)

    def inside(self, outline: list[Point], paint: Callable[[], None]) -> None:
        """Paint, and keep of it only what lies inside the outline."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon(self._fine(outline), fill=255)
        below = self.image.copy()
        paint()
        self.image.paste(Image.composite(self.image, below, mask))

    def leaf(self, x: float, y: float, length: float, turn: float, fill: Colour) -> None:
        """Draw a leaf from its stalk on."""
        c, s, wide = cos(turn), sin(turn), length * 0.24

        def at(along: float, across: float) -> Point:
            return x + c * along - s * across, y + s * along + c * across

        tip, upper, lower = at(length, 0), at(length * 0.45, -wide), at(length * 0.45, wide)
        self.shape(curve([(x, y), upper, tip, lower]), fill)
        self.line([(x, y), at(length * 0.5, wide * 0.12), at(length * 0.9, 0)], 3, light(fill, 0.28))

    def webp(self, size: tuple[int, int], top: int) -> bytes:
        """Return a strip of the drawing as wide as it is, in pixels of `size`."""
        out, (wide, high) = io.BytesIO(), self.image.size
        strip = self.image.crop((0, high - wide * size[1] // size[0] - top, wide, high - top))
        strip.resize(size, Image.Resampling.LANCZOS).save(out, "WEBP", quality=72, method=6)
        return out.getvalue()

    def jpeg(self) -> bytes:
        """Return the finished picture."""
        out = io.BytesIO()
        self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(out, "JPEG", quality=88)
        return out.getvalue()


def curve(points: list[Point], *, closed: bool = True, steps: int = 10) -> list[Point]:
    """Return a soft line through points (Catmull-Rom)."""
    count = len(points)
    padded = [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1], points[-1]]
    found = []
    for n in range(count if closed else count - 1):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = padded[n : n + 4]
        for step in range(steps + (not closed)):
            t = step / steps
            found.append((_spline(x0, x1, x2, x3, t), _spline(y0, y1, y2, y3, t)))
    return found


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def around(x: float, y: float, wide: float, high: float, turn: float = 0, start: float = 0, end: float = 2 * pi) -> list[Point]:
    """Return points on a turned ellipse, or on an arc of it."""
    angles = [start + (end - start) * n / 48 for n in range(49)]
    c, s = cos(turn), sin(turn)
    return [(x + wide * cos(a) * c - high * sin(a) * s, y + wide * cos(a) * s + high * sin(a) * c) for a in angles]


def shadow(sheet: Sheet, x: float, y: float, wide: float) -> None:
    """Draw the shadow of what stands on the table at (x, y), `wide` on each side."""
    sheet.oval(x, y, wide, wide * 0.11, dark("#6e4a2c", 0.3))
