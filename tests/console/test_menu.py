"""The staff's menu: what people do in groups, the page one is at marked, wherever below it one is."""

import re

import pytest

from tests.factories.accounts import make_staff, sign_in
from tests.factories.producers import make_coop

GROUPS = ["Today", "Search", "Orders and goods", "Producers", "Paying out", "Bank and books", "Prices", "Settings"]


@pytest.fixture
def staff(client, session):
    return sign_in(client, session, make_staff(session, coop=make_coop(session), role="preparer"))


@pytest.mark.parametrize(
    ("path", "group", "page"),
    [
        ("/console", None, "Today"),
        ("/console/payouts/all", "Paying out", "All payouts"),
        ("/console/earnings/slips", "Paying out", "Earnings"),
        ("/console/statements/closes/new?ends_on=2026-10-31", "Bank and books", "Periods"),
        ("/console/statements/", "Bank and books", "Bank statements"),
        ("/console/statements/closes/new?ends_on=2026-10-31&lang=en", "Bank and books", "Periods"),
    ],
)
def test_the_group_and_the_page_are_marked(staff, path, group, page):
    menu = re.search(r'<nav aria-label="Staff desk".*?</nav>', staff.get(path).text, re.S)[0]
    marks = {"page": [], "true": []}
    for mark, words in re.findall(r'aria-current="(\w+)"[^>]*>([^<]*)<', menu):
        marks[mark].append(words)
    assert marks == {"page": [page], "true": [group] if group else []}
    assert [words for words in re.findall(r'data-key="g \w"[^>]*>([^<]*)<', menu)] == GROUPS
