"""Sentences that were stored in English are told in the reader's language: price checks, reasons, what was found in files."""

import re
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from market.catalogue.models import Listing
from market.catalogue.service import reevaluate_listings
from market.cli.messages import ROOT
from market.console.found import NOTED, REFUSED
from market.kernel.actor import system
from market.kernel.languages import PSEUDO, tell
from market.pricing.models import PriceCheck
from market.producers.models import Producer
from market.provenance.models import Lot
from tests.conftest import NOW
from tests.domain.catalogue.test_listings import actor, coop, draft, producer, published  # noqa: F401 - fixtures
from tests.factories.accounts import make_producer_account, make_staff, sign_in
from tests.factories.prices import make_reference
from tests.factories.producers import make_coop
from tests.factories.statements import import_bytes, make_account
from tests.languages.test_pages import english


def test_price_checks_are_told_on_the_pages_of_offer_and_lot(client, session, actor, draft):  # noqa: F811
    listing_id = published(session, actor, draft)
    slug = session.scalar(select(Lot.slug).where(Lot.id == draft.lot_id))
    words = session.scalars(select(PriceCheck.words)).all()
    session.commit()
    assert words
    for path in (f"/listings/{listing_id}", f"/lots/{slug}"):
        page = client.get(f"{path}?lang={PSEUDO}").text
        assert not english(page), path
        assert not [sentence for sentence in words if sentence in page]
        assert "Precio" in client.get(f"{path}?lang=es").text


def test_an_offer_that_was_withdrawn_says_why_in_the_language_of_its_producer(app, session, actor, draft):  # noqa: F811
    listing_id = published(session, actor, draft)
    make_reference(session, valid_from=date(2026, 11, 1), minimum_price=Decimal("2.50"))
    reevaluate_listings(session, actor=system("test"), now=NOW)
    reason = session.scalar(select(Listing.withdrawn_reason).where(Listing.id == listing_id))
    person = make_producer_account(session, producer=session.get_one(Producer, actor.producer_id))
    session.commit()
    assert reason
    client = sign_in(app.test_client(), session, person)
    page = client.get(f"/producer/listings/{listing_id}?lang={PSEUDO}").text
    assert reason not in page
    assert not english(page)


def test_a_stored_text_of_several_sentences_is_recognised_as_a_whole_or_not_at_all():
    known = "There is no such lot. The row comes into force on 2027-01-01."
    assert tell(known, "es").endswith("1 ene 2027.")
    assert tell(known, "es") != known
    half = "There is no such lot. Nobody here wrote this one."
    assert tell(half, "es") == half


def test_every_code_of_a_banks_file_has_words_and_a_refused_one_says_them(app, session):
    codes = {
        code
        for path in (*(ROOT / "market/statements/rules").rglob("*.py"), ROOT / "market/statements/service/checking.py")
        for code in re.findall(r'(?:"statements\.|Finding\(\s*"|\.find\(\s*")([a-z_]+)"', path.read_text())
    }
    assert (
        codes - {"mapping_needed", "opening_differs"} == REFUSED.keys() | NOTED.keys()
    )  # the page asks for the mapping itself, and says the opening in words of its own
    ours = make_coop(session)
    account = make_account(session, coop=ours)
    person = make_staff(session, coop=ours, role="approver")
    made = import_bytes(session, account, b":20:x\n:25:y\n:60F:C26")
    session.commit()
    client = sign_in(app.test_client(), session, person)
    page = client.get(f"/console/statements/files/{made.file_id}?lang=es").text
    assert "Una línea no sigue el formato del archivo." in page
    assert not english(client.get(f"/console/statements/files/{made.file_id}?lang={PSEUDO}").text)
