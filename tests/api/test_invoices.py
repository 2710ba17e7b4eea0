"""Invoices over the API: for the buyer and guests with the key, for staff those of their co-op, for nobody else."""

import pytest

from market.http import links
from market.http.card_page import LINK
from market.producers.models import Coop
from tests.domain.invoices.test_invoices import issued, taxed_order
from tests.factories.accounts import make_staff, sign_in
from tests.factories.producers import make_coop


@pytest.fixture
def placed(session):
    return taxed_order(session, coops=2)


@pytest.fixture
def papers(session, placed):
    return issued(session, placed)


def test_a_guest_lists_reads_and_prints_by_the_key(client, placed, papers):
    url, key = f"/api/v1/orders/{placed.order_id}/invoices", {"key": links.key_for(LINK, placed.order_id)}
    assert client.get(url).status_code == 404
    items = client.get(url, query_string=key).json["items"]
    assert [(one["id"], one["kind"], one["number"]) for one in items] == [
        (str(paper.id), "invoice", "INV-2026-000001") for paper in papers
    ]
    one = client.get(f"{url}/{items[0]['id']}", query_string=key).json
    assert one["facts"]["total_minor"] == one["total"]["minor"] == papers[0].total.minor
    assert sum(line["net_minor"] for line in one["facts"]["lines"]) == one["facts"]["net_minor"]
    pdf = client.get(one["pdf"], query_string=key)
    assert pdf.data.startswith(b"%PDF")
    assert client.get(one["pdf"]).status_code == 404


def test_staff_see_their_coops_documents_alone(client, session, placed, papers):
    url = f"/api/v1/orders/{placed.order_id}/invoices"
    sign_in(client, session, make_staff(session, coop=session.get(Coop, papers[0].coop_id)))
    assert [one["id"] for one in client.get(url).json["items"]] == [str(papers[0].id)]
    assert client.get(f"{url}/{papers[0].id}/pdf").status_code == 200
    assert client.get(f"{url}/{papers[1].id}").status_code == 404
    sign_in(client, session, make_staff(session, coop=make_coop(session)))
    assert client.get(url).status_code == 404
