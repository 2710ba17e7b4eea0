"""Points on the world map of the static files: Equal Earth projection, viewBox 960 x 468 (provenance.md 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin

_A1, _A2, _A3, _A4, _M, _SCALE = 1.340264, -0.081106, 0.000893, 0.003796, 3**0.5 / 2, 177.34230496646222
WIDTH, HEIGHT = 960.0, 468.0
_MARGIN, _NARROWEST = 70.0, 300.0


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """Return where a point lies on the map (B. Šavrič et al., The Equal Earth map projection, 2018)."""
    t = asin(_M * sin(radians(latitude)))
    t2 = t * t
    t6 = t2**3
    x = _SCALE * radians(longitude) * cos(t) / (_M * (_A1 + 3 * _A2 * t2 + t6 * (7 * _A3 + 9 * _A4 * t2)))
    return WIDTH / 2 + x, HEIGHT / 2 - _SCALE * t * (_A1 + _A2 * t2 + t6 * (_A3 + _A4 * t2))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A cut of the map around some stops: its viewBox, the points, the legs between them, and the size of a dot."""

    view_box: str
    points: list[tuple[float, float]]
    legs: list[tuple[float, float, float, float]]
    dot: float


def sheet(places: Sequence[tuple[float, float]]) -> Sheet | None:
    """Draw places (longitude, latitude) in the order of the journey; None without any. A leg over the date line is left out."""
    if not places:
        return None
    points = [project(longitude, latitude) for longitude, latitude in places]
    legs = [
        (*points[n], *points[n + 1])
        for n in range(len(points) - 1)
        if abs(places[n][0] - places[n + 1][0]) <= 180 and points[n] != points[n + 1]
    ]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    width = min(WIDTH, max(right - left + 2 * _MARGIN, (bottom - top + 2 * _MARGIN) * WIDTH / HEIGHT, _NARROWEST))
    height = width * HEIGHT / WIDTH
    x = min(max((left + right - width) / 2, 0), WIDTH - width)
    y = min(max((top + bottom - height) / 2, 0), HEIGHT - height)
    rounded = [(round(px, 1), round(py, 1)) for px, py in points]
    return Sheet(f"{x:.0f} {y:.0f} {width:.0f} {height:.0f}", rounded, legs, round(width / 110, 1))
