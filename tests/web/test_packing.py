"""Pages and static files go packed to browsers that take it; a file's address changes with its content."""

import gzip
import re

import pytest


def test_a_page_is_packed_and_says_so(client):
    plain, packed = client.get("/coops"), client.get("/coops", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert b"</html>" in gzip.decompress(packed.data)
    assert len(packed.data) < len(plain.data) / 2


def test_a_browser_that_has_the_packed_page_gets_no_second_one(client):
    first = client.get("/shop", headers={"Accept-Encoding": "gzip"})
    again = client.get("/shop", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["style.css", "market.js"])
def test_a_static_file_is_kept_for_ever_under_its_version(client, name):
    address = re.search(rf'"(/static/{name}\?v=\w+)"', client.get("/shop").text)[1]
    kept = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(kept.data) == client.get(address).data
    for other in (f"/static/{name}", f"/static/{name}?v=000000000000"):
        assert client.get(other).headers["Cache-Control"] == "no-cache"


def test_what_is_not_there_or_lies_outside_is_not_found(client):
    assert client.get("/static/no-such.css").status_code == 404
    assert client.get("/static/../app.py").status_code == 404
