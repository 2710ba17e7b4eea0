"""The staff's form of the co-op: amounts as people write them in its currency, its country by name."""

import re

import pytest

from market.producers.models import Coop
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.producers import make_coop


@pytest.fixture
def coop(session):
    return make_coop(session, transport_minor_per_line=320, book_alone_minor=1000, country="PE")


def typed(page):
    """What the form holds when it is shown."""
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page))
    fields |= {
        name: re.sub(r"<[^>]*>", "", text) for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', page)
    }
    selects = re.findall(r'<select[^>]*name="(\w+)".*?</select>', page, re.S)
    chosen = {name: re.search(rf'name="{name}".*?value="([^"]*)" selected', page, re.S) for name in selects}
    return fields | {name: found[1] for name, found in chosen.items() if found}


def test_amounts_are_typed_as_people_write_them(client, session, coop):
    staff = sign_in(client, session, make_staff(session, coop=coop, role="approver"))
    coop_id = coop.id
    page = staff.get("/console/coop").text
    assert '<option value="PE" selected>Peru</option>' in page
    form = typed(page) | {"csrf_token": csrf_token(staff)}
    assert (form["transport_per_line"], form["book_alone"]) == ("3.20", "10.00")
    saved = staff.post("/console/coop", data=form | {"transport_per_line": "4,50", "book_alone": "1.250,00"})
    assert saved.status_code == 303
    session.expire_all()
    found = session.get(Coop, coop_id)
    assert (found.transport_minor_per_line, found.book_alone_minor, found.country) == (450, 125_000, "PE")
    cut = staff.post("/console/coop", data=form | {"transfer_hold_days": "12.7"})
    assert (cut.status_code, "Please enter a whole number." in cut.text) == (422, True)
    wrong = staff.post("/console/coop", data=form | {"transport_per_line": "four"})
    assert wrong.status_code == 422
    assert 'value="four"' in wrong.text
    assert 'id="e-transport_per_line"' in wrong.text
