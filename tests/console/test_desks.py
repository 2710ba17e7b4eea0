"""Every list of the staff: what its filters and sortings offer can be asked for, and what it shows can be written to a file."""

import importlib
import pkgutil
from contextlib import nullcontext, suppress

from market import console
from market.console.lists import Desk
from market.reports.queries import lists
from market.reports.queries.lists import Viewer
from tests.conftest import NOW
from tests.factories.accounts import make_staff
from tests.factories.producers import make_coop

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
