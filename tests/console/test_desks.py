"""Every list of the staff: what its filters and sortings offer can be asked for, and what it shows can be written to a file."""

import csv
import importlib
import pkgutil
from contextlib import nullcontext, suppress

from market import console
from market.console.lists import Desk
from market.reports.queries import lists
from market.reports.queries.lists import Viewer
from tests.conftest import NOW
from tests.console.conftest import Desk as People
from tests.factories.accounts import make_staff
from tests.factories.payments import make_part, make_payment
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_producer

TYPED = {"day": "2026-11-25", "amount": "12.50", "text": "7"}


def every():
    """All desks there are, by the name of their saved views."""
    found = {}
    for module in pkgutil.walk_packages(console.__path__, "market.console."):
        things = vars(importlib.import_module(module.name)).values()
        found |= {each.name: each for each in things if isinstance(each, Desk)}
    return found


DESKS = every()


def test_there_are_many():
    assert len(DESKS) > 20


def test_every_filter_and_sorting_of_every_list_can_be_asked_for(app, session):
    coop = make_coop(session)
    viewer = Viewer(coop.id, "EUR", coop.time_zone, make_staff(session, coop=coop, role="preparer").id, NOW)
    for desk in DESKS.values():
        source = desk.source(viewer)
        for each in desk.filters:
            for value in [code for code, _words in each.options] if each.kind == "choice" else [TYPED[each.kind]]:
                with suppress(ValueError) if each.kind == "text" else nullcontext():  # an id is not just any text
                    assert lists.totals(session, source, {each.name: value}).more is False, (desk.name, each.name, value)
        for sorting in source.sortings:
            assert lists.page(session, source, {}, sorting=sorting).next_cursor is None or desk.name == "prices"
        assert {code for code, _words in desk.sortings} <= set(source.sortings), desk.name
        for column in desk.columns:
            assert column.make or column.key in source.statement.selected_columns, (desk.name, column.key)


def test_what_is_paid_owed_and_booked_is_listed_each_with_its_record(client, session):
    coop = make_coop(session)
    member = make_producer(session, coop=coop, name="Ana Quispe")
    owe(session, member, 6480)
    payment = make_payment(session, parts=[make_part(coop, goods=1500)], method="transfer")
    desk = People(client, session, coop)
    seen = desk.get(desk.preparer, f"/console/payouts/owed?open={member.id}&state=open").text
    assert "Ana Quispe" in seen
    assert "Chosen filters" in seen
    assert ">State</b> <bdi>open</bdi>" in seen
    number, _payee, *_rest = next(csv.reader([desk.get(desk.preparer, "/console/payments/all?format=csv").text.splitlines()[1]]))
    assert number == payment.title
    assert payment.title in desk.get(desk.preparer, f"/console/payments/all?open={payment.id}").text
    lines = desk.get(desk.preparer, "/console/books/lines?account=held:goods").text
    assert "Owed to a producer: Ana Quispe" in lines
    key = lines.split("?account=held:goods&amp;open=")[1].split("#")[0]
    assert "All lines of this fact" in desk.get(desk.preparer, f"/console/books/lines?open={key}").text
    other = People(client, session, make_coop(session))
    for path in ("/console/payouts/owed", "/console/payments/all", "/console/books/lines"):
        assert ">0 rows" in other.get(other.preparer, path).text
