"""Near means near: by the way between a place that the reader names and the co-ops, without cookies and without asking anybody."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from market.web import near
from tests.factories.producers import make_coop


@pytest.mark.parametrize(
    ("typed", "point"),
    [
        ("Vienna", (48.22, 16.33)),
        ("  viena ", (48.22, 16.33)),
        ("AT", (48.22, 16.33)),
        ("Österreich", None),
        ("Autriche", (48.22, 16.33)),
        ("Perú", (-12.05, -77.05)),
        ("بيرو", (-12.05, -77.05)),
        ("Moyobamba", (-6.03, -76.97)),
        ("nowhere", None),
    ],
)
def test_places_are_known_by_name_in_every_language_of_the_site(typed, point):
    coop = SimpleNamespace(
        town="Moyobamba", region="San Martín", latitude=Decimal("-6.03"), longitude=Decimal("-76.97"), country="PE"
    )
    assert near.find(typed, [coop]) == point


def test_the_way_is_that_of_a_great_circle():
    vienna, lima = near.find("Vienna", []), near.find("Lima", [])
    assert 11_000 < near.distance_km(vienna, lima) < 11_300
    assert near.distance_km(vienna, vienna) == 0


def test_the_nearest_co_ops_come_first_and_the_place_stays_in_the_address(client, session):
    make_coop(session, name="Far", country="PE", latitude=Decimal("-6.03"), longitude=Decimal("-76.97"))
    make_coop(session, name="Almost", country="IT", latitude=None)
    make_coop(session, name="Next door", country="HU", latitude=Decimal("47.5"), longitude=Decimal("19.0"))
    session.commit()
    answer = client.get("/?place=Wien&lang=es", headers={"Accept-Language": "de-PE"})
    assert "No conocemos este lugar" in answer.text, "German is none of our languages"
    answer = client.get("/?place=Viena&lang=es")
    names = ("Next door", "Almost", "Far")
    at = [answer.text.index(f">{name}</a>") for name in names]
    assert at == sorted(at)
    assert "a unos 210 km" in answer.text
    assert 'name="place"' in answer.text
    assert 'value="Viena"' in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "a unos" not in client.get("/?lang=es").text
