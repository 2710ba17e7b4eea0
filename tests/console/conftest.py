"""The two people of most tests of the staff's pages: one prepares, another approves."""

import re

import pytest

from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.producers import make_coop


class Desk:
    """Ask for pages and send forms as one of a co-op's people."""

    def __init__(self, client, session, coop):
        self.client, self.session = client, session
        self.preparer = make_staff(session, coop=coop, role="preparer")
        self.approver = make_staff(session, coop=coop, role="approver")

    def post(self, person, path, **form):
        sign_in(self.client, self.session, person)
        return self.client.post(path, data={"csrf_token": csrf_token(self.client), **form})

    def get(self, person, path):
        return sign_in(self.client, self.session, person).get(path)

    def approved(self):
        """Prepare and approve a payout run through the pages; return its address."""
        page = self.post(self.preparer, "/console/payouts", due_by="2026-11-25").location
        shown = re.search(r'name="list_sha256" value="(\w+)"', self.get(self.approver, f"{page}/approve").text)
        assert self.post(self.approver, f"{page}/approve", list_sha256=shown[1]).status_code == 303
        return page


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def desk(client, session, coop):
    return Desk(client, session, coop)
