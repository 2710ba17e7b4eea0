"""How far away the co-ops are from a place that the reader names: a country, a large city, or where one of the co-ops is.

Nothing is asked of anybody else and nothing is kept: the place stands in the address of the page. Cities and countries come
from `places.tsv`, made from the `zone.tab` of the time zone database (public domain), their names from the languages' data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

from market.kernel.languages import LANGUAGES, country_codes, locale
from market.kernel.text import fold
from market.producers.queries import CoopView

EARTH_KM = 6371.0
Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True, slots=True)
class Known:
    """What places can be named: names in any of our languages, folded, and the first city of each country by its code."""

    named: dict[str, Point]
    countries: dict[str, Point]


@cache
def _known() -> Known:
    cities: dict[str, Point] = {}
    countries: dict[str, Point] = {}
    zones: dict[str, Point] = {}
    for line in (Path(__file__).parent / "places.tsv").read_text().splitlines():
        code, latitude, longitude, zone = line.split("\t")
        zones[zone] = point = (float(latitude), float(longitude))
        countries.setdefault(code, point)
        cities.setdefault(fold(zone.rsplit("/", 1)[-1].replace("_", " ")), point)
    for language in LANGUAGES:
        data = locale(language)
        for zone, point in zones.items():
            if city := data.time_zones.get(zone, {}).get("city"):
                cities.setdefault(fold(city), point)
        for code in country_codes():
            if code in countries and code in data.territories:
                cities[fold(data.territories[code])] = countries[code]
    return Known(cities, countries)


def find(place: str, coops: Iterable[CoopView]) -> Point | None:
    """Return where a place is that somebody typed; None for one that we do not know."""
    wanted = fold(" ".join(place.split()))
    for coop in coops:
        if wanted in (fold(coop.town), fold(coop.region)) and (point := whereabouts(coop)):
            return point
    known = _known()
    return known.named.get(wanted) or (known.countries.get(wanted.upper()) if len(wanted) == 2 else None)


def whereabouts(coop: CoopView) -> Point | None:
    """Return where a co-op is: its own coordinates, else those of its country's first city."""
    if coop.latitude is not None and coop.longitude is not None:
        return float(coop.latitude), float(coop.longitude)
    return _known().countries.get(coop.country)


def distance_km(one: Point, other: Point) -> float:
    """Return the way along a great circle."""
    (lat1, lon1), (lat2, lon2) = one, other
    half = sin(radians(lat2 - lat1) / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))


def away_km(coop: CoopView, here: Point) -> int | None:
    """Return how far away a co-op is, to two significant digits; None where it cannot be told."""
    there = whereabouts(coop)
    if there is None:
        return None
    exact = distance_km(here, there)
    step = 10 if exact < 1000 else 100
    return max(step, round(exact / step) * step)
