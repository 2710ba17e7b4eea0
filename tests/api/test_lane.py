"""The short way gives the bytes and headers of the long one, or steps aside."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as searching
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from werkzeug.test import EnvironBuilder, run_wsgi_app

from market.app import ROADS
from market.catalogue import queries, service
from market.catalogue.models import Listing
from market.http.auth import access
from market.http.db import engine_options
from market.http.lane import Lane, Road
from market.provenance import service as provenance
from tests.conftest import NOW, settings_for
from tests.factories.catalogue import TODAY, make_listing, make_product
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot

BODY = b'{"v":1,"name":"Caf\xc3\xa9"}'


@pytest.fixture
def lane(app, session):
    lane = Lane(app, ROADS)
    lane.further = _with_a_context_of_its_own(app, app.wsgi_app.further)
    return lane


def _with_a_context_of_its_own(app, flask):
    def call(environ, start_response):
        with app.app_context():  # as on a server: the fixtures' own knows already who calls
            return list(flask(environ, start_response))

    return call


@pytest.fixture
def shop(session):
    return _shop(session, 3)


@pytest.fixture
def full_shop(session):
    """More than a page holds."""
    return _shop(session, 27)


def _shop(session, size):
    coop = make_coop(session, slug="rio-azul", currency="USD")
    jose = make_producer(session, coop=coop, name="José Núñez")
    coffee, cocoa = make_product(session, name="Arabica, washed"), make_product(session, category="cocoa", name="Cocoa nibs")
    made = [
        make_listing(session, producer=jose, product=(coffee, cocoa)[number % 2], title=f"Café lote {number}", currency="USD")
        for number in range(27 - size, 27)
    ]
    lot = make_lot(session, coop=coop, producer=jose)
    provenance.store_page(session, lot_id=lot.id, slug=lot.slug, body=BODY, now=NOW)
    session.commit()
    return {"lot": lot.slug, "listings": [listing.id for listing in made]}


def answer(way, path, query="", method="GET", **headers):
    builder = EnvironBuilder(path=path, query_string=query, method=method, headers=headers)
    chunks, status, sent = run_wsgi_app(way, builder.get_environ())
    return status, list(sent), b"".join(chunks)


def both(lane, path, query="", **headers):
    """Return the answer, the same both ways."""
    short, long = answer(lane, path, query, **headers), answer(lane.further, path, query, **headers)
    assert short == long
    return short


def nobody(environ, start_response):
    raise AssertionError("this should have been answered before Flask")


QUERIES = (
    *(
        "",
        "q=",
        "q=cafe",
        "q=CAF%C3%89+lote",
        "q=caffe",
        "q=lote+26",
        "q=co",
        "q=nothing+here",
        "category=coffee",
        "coop=rio-azul",
    ),
    *("category=coffee&q=lote", "certificate=fairtrade", "currency=USD", "currency=USD&q=lote", "cursor=", "q=%22%5C%7B%27"),
    "category=%7B%22a%5C%22%2Cb%7D",
)


def test_a_page_of_the_catalogue_is_the_same_both_ways_and_never_reaches_flask(lane, full_shop):
    found = {query: both(lane, "/api/v1/listings", query) for query in QUERIES}
    assert {status for status, _, _ in found.values()} == {"200 OK"}
    lane.further = nobody
    for query, (_, sent, _) in found.items():
        assert answer(lane, "/api/v1/listings", query) == found[query]
        assert answer(lane, "/api/v1/listings", query, If_None_Match=dict(sent)["ETag"])[0] == "304 NOT MODIFIED"


def test_pages_follow_each_other(lane, full_shop):
    first = json.loads(both(lane, "/api/v1/listings", "q=lote")[2])
    second = json.loads(both(lane, "/api/v1/listings", f"q=lote&cursor={first['next']}")[2])
    assert [item["id"] for item in first["items"] + second["items"]] == [
        str(listing_id) for listing_id in reversed(full_shop["listings"])
    ]


ODD = (
    *("q=a&q=b", "nobody=1", "category=", "currency=usd", "currency=USD%0A", "price_from=1", "price_from=1&currency=USD", "q"),
    *(
        "cursor=1+OR+1%3D1",
        "q=%00",
        "category=%00coffee",
        "q=%ff",
        "category=%ff",
        "q=" + "x" * 201,
        "coop=" + "y" * 61,
        "&&",
        "=1",
    ),
    *("q=caf\xe9", "cursor=" + "0" * 101, "q=%ED%A0%80", "category=%ED%A0%80", "q=;category=coffee", "cursor=%00"),
)


def test_odd_queries_get_the_long_ways_answer(lane, shop):
    for query in ODD:
        both(lane, "/api/v1/listings", query)


_NAMES = st.sampled_from(["q", "category", "coop", "certificate", "currency", "cursor", "price_to", "x"])
_VALUES = st.one_of(
    st.sampled_from(["cafe", "lote 25", "coffee", "cocoa", "rio-azul", "USD", "fairtrade", "10", ""]),
    st.text(alphabet=st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=12),
)


@searching(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(_NAMES, _VALUES), max_size=4))
def test_any_query_gets_the_same_answer_both_ways(lane, shop, pairs):
    both(lane, "/api/v1/listings", {name: [v for n, v in pairs if n == name] for name, _ in pairs})


TAGS = ('"x"', "*", 'W/"x"', '"x", "y"', "x", '""', '"x" ', "")


@pytest.mark.parametrize("path", ["/api/v1/listings", "/api/v1/lots/{lot}"])
def test_tags_are_read_the_same_both_ways(lane, shop, path):
    path = path.format(**shop)
    known = dict(answer(lane.further, path)[1])["ETag"]
    for tag in TAGS:
        for asked in (tag.replace('"x"', known), tag, tag):  # the second time from what the lane remembers
            both(lane, path, If_None_Match=asked)


def test_the_page_of_a_lot_is_the_same_both_ways_and_never_reaches_flask(lane, shop):
    path = f"/api/v1/lots/{shop['lot']}"
    found = both(lane, path)
    assert found[2] == BODY
    both(lane, path, If_None_Match=dict(found[1])["ETag"])
    lane.further = nobody
    assert answer(lane, path) == found


def test_other_addresses_below_lots_go_the_long_way(lane, shop):
    for slug in ("{lot}?x=1", "{LOT}", "nobody", "{lot}/lineage", "{lot}/", "", "%00", "\xe9", "a/b"):
        path, _, query = ("/api/v1/lots/" + slug.format(lot=shop["lot"], LOT=shop["lot"].upper())).partition("?")
        both(lane, path, query)


@pytest.mark.parametrize("path", ["/api/v1/listings", "/api/v1/lots/{lot}"])
def test_people_keys_and_other_methods_go_the_long_way(lane, shop, path):
    path = path.format(**shop)
    for headers in (
        {"Cookie": "market=x"},
        {"Authorization": "Bearer x"},
        {"method": "HEAD"},
        {"method": "POST"},
        {"method": "OPTIONS"},
    ):
        both(lane, path, **headers)
    assert answer(lane, path, Authorization="Bearer x")[0].startswith("401")


def test_behind_https_both_ways_say_so(lane, shop):
    builder = EnvironBuilder(path="/api/v1/listings", base_url="https://localhost")
    short, long = (run_wsgi_app(way, builder.get_environ()) for way in (lane, lane.further))
    assert list(short[2]) == list(long[2])
    assert short[2]["Strict-Transport-Security"]


def test_a_foreign_name_is_refused_both_ways(lane, shop):
    for host in ("elsewhere.example", "", "LOCALHOST:99", "127.0.0.1", "[::1]:80"):
        both(lane, "/api/v1/listings", Host=host)
    assert answer(lane, "/api/v1/listings", Host="elsewhere.example")[0].startswith("400")


def test_a_view_that_is_not_public_cannot_have_a_short_way(app):
    @access("buyer")
    def private():
        """Not for everybody."""

    road = Road("lane.private", "/private", lambda *_: (b"", None))
    app.view_functions["lane.private"] = private
    try:
        with pytest.raises(ValueError, match="not public"):
            Lane(app, [road])
    finally:
        del app.view_functions["lane.private"]


def test_every_change_of_the_catalogue_changes_its_version_once_it_is_visible(make_database, servers):
    settings = settings_for(make_database("lane"), servers["REDIS_URL"])
    reader, writer = (create_engine(**engine_options(settings, reader=way)) for way in (True, False))
    with reader.connect() as reading, writer.connect() as one, writer.connect() as two:

        def version():
            return queries.catalogue_version(reading)

        insert = text("INSERT INTO search_term VALUES (:term, 1, '{}')")
        seen = [version()]
        assert version() == seen[0]
        one.execute(insert, {"term": "a"})
        two.execute(insert, {"term": "b"})
        assert version() == seen[0]
        two.commit()  # the later one first
        seen.append(version())
        one.commit()
        seen.append(version())
        one.execute(text("UPDATE search_term SET listings = 2"))
        one.rollback()
        assert version() == seen[-1]
        for statement in ("UPDATE search_term SET listings = 2", "DELETE FROM search_term", "DELETE FROM listing_card",
                          "DELETE FROM search_posting"):  # fmt: skip
            one.execute(text(statement))
            one.commit()
            seen.append(version())
        assert len(set(seen)) == len(seen)
        one.execute(insert, {"term": "c"})
        assert queries.catalogue_version(one) != queries.catalogue_version(one)
    reader.dispose()
    writer.dispose()


def test_a_remembered_tag_does_not_outlive_a_change(lane, shop, session):
    tag = dict(answer(lane, "/api/v1/listings", "q=lote")[1])["ETag"]
    assert both(lane, "/api/v1/listings", "q=lote", If_None_Match=tag)[0] == "304 NOT MODIFIED"
    newest = shop["listings"][-1]
    session.get(Listing, newest).title = "Otro lote"
    service.refresh_cards(session, listing_ids=[newest], on=TODAY)
    session.commit()
    assert both(lane, "/api/v1/listings", "q=lote", If_None_Match=tag)[0] == "200 OK"


@pytest.mark.parametrize("read", [queries.catalogue_version, lambda connection: connection.scalar(text("SELECT 1"))])
def test_a_reader_that_broke_is_replaced(app, make_database, servers, read):
    from market.http.db import Readers

    settings = settings_for(make_database("reader"), servers["REDIS_URL"])
    engine = create_engine(**engine_options(settings, reader=True))
    readers = Readers(engine)
    with readers() as connection:
        assert queries.catalogue_version(connection)
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with engine.connect() as other:
        other.execute(text("SET ROLE NONE"))
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    with pytest.raises(Exception), readers() as connection:  # noqa: B017
        read(connection)
    with readers() as connection:
        assert read(connection)
    engine.dispose()
