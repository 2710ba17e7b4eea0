"""People's own texts: marked with their language, and side by side with the translations that their authors gave."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from market.catalogue.models import Listing
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing, producer_coop
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot


def post(client, path, **form):
    return client.post(path, data={"csrf_token": csrf_token(client)} | form)


def test_a_producer_gives_their_offer_in_two_languages(app, session):
    producer = make_producer(session, story="Desde 1990.")
    offer = make_listing(session, producer=producer, title="Café de altura", description="De la montaña.")
    person = make_producer_account(session, producer=producer)
    session.commit()
    client, address = sign_in(app.test_client(), session, person), f"/producer/listings/{offer.id}/texts"
    assert "Café de altura" in client.get(address).text
    form = {"language": "es", "title_en": "Mountain coffee", "body_en": "From the <b>mountain</b>.", "body_fr": "De la montagne."}
    assert post(client, address, **form).status_code == 303
    assert 'value="Mountain coffee"' in client.get(address).text

    reader = app.test_client()
    page = reader.get(f"/listings/{offer.id}?lang=en").text
    assert '<h1><span dir="auto">Mountain coffee</span></h1>' in page
    assert '<span lang="es" dir="auto">Café de altura</span>' in page
    assert page.index("From the &lt;b&gt;mountain") < page.index("As it was written, in Español") < page.index("De la montaña.")
    assert '<summary lang="fr">Français</summary>' in page
    assert '<p lang="" dir="auto">Desde 1990.</p>' in page, "nobody said in which language the story is"

    spanish = reader.get(f"/listings/{offer.id}?lang=es").text
    assert '<h1><span dir="auto">Café de altura</span></h1>' in spanish
    swahili = reader.get(f"/listings/{offer.id}?lang=sw").text
    assert '<h1><span lang="es" dir="auto">Café de altura</span></h1>' in swahili

    assert f'<a href="/listings/{offer.id}">Mountain coffee</a>' in reader.get("/shop").text
    assert f'/listings/{offer.id}?lang=ar" lang="es" dir="auto">Café de altura</a>' in reader.get("/shop?lang=ar").text
    assert "Mountain coffee" in reader.get("/shop?q=mountain").text
    card = reader.get("/api/v1/listings").json["items"][0]
    assert (card["language"], card["titles"]) == ("es", {"en": "Mountain coffee"})


def test_a_translation_into_the_language_of_the_original_is_refused_and_kept(app, session):
    producer = make_producer(session, story="Hadithi yetu.")
    person = make_producer_account(session, producer=producer)
    session.commit()
    client = sign_in(app.test_client(), session, person)
    refused = post(client, "/producer/texts", language="sw", body_sw="Hadithi.", body_en="Our story.")
    assert refused.status_code == 422
    assert "there can be no translation into it" in refused.text
    assert "Our story." in refused.text
    assert post(client, "/producer/texts", language="xx").status_code == 422
    assert post(client, "/producer/texts", language="sw", body_en="Our story.").status_code == 303
    page = app.test_client().get(f"/producers/{producer.slug}").text
    assert '<p class="lead" dir="auto">Our story.</p>' in page
    assert '<p class="soft" lang="sw" dir="auto">Hadithi yetu.</p>' in page


def test_a_co_op_tells_its_story_in_arabic_too(app, session):
    coop = make_coop(session, slug="rio-azul", story="Nuestra historia.")
    person = make_staff(session, coop=coop, role="approver")
    session.commit()
    client = sign_in(app.test_client(), session, person)
    assert "Nuestra historia." in client.get("/console/coop/texts").text
    assert post(client, "/console/coop/texts", language="es", body_ar="حكايتنا").status_code == 303
    reader = app.test_client()
    for path in ("/coops", "/", "/coops/rio-azul"):
        assert 'dir="auto">حكايتنا</p>' in reader.get(f"{path}?lang=ar").text
        assert 'lang="es" dir="auto">Nuestra historia.</p>' in reader.get(f"{path}?lang=fr").text


def test_a_lot_has_its_name_in_more_languages(app, session):
    producer = make_producer(session)
    lot = make_lot(session, coop=producer_coop(session, producer), producer=producer, name="Café lavado")
    make_listing(session, producer=producer, lot=lot, title="Taza")
    person = make_producer_account(session, producer=producer)
    session.commit()
    client, address = sign_in(app.test_client(), session, person), f"/producer/lots/{lot.id}/texts"
    assert f'href="{address}"' in client.get(f"/producer/lots/{lot.id}").text
    page = client.get(address).text
    assert "Café lavado" in page
    assert 'name="body_fr"' not in page
    refused = post(client, address, language="es", title_es="Otra vez")
    assert (refused.status_code, 'aria-describedby="e-title_es"' in refused.text) == (422, True)
    assert post(client, address, language="es", title_en="Washed <coffee>").status_code == 303

    reader = app.test_client()
    page = reader.get(f"/lots/{lot.slug}?lang=en").text
    assert '<h1><span dir="auto">Washed &lt;coffee&gt;</span></h1>' in page
    assert '<p class="soft"><span lang="es" dir="auto">Café lavado</span></p>' in page
    assert '<h1><span lang="es" dir="auto">Café lavado</span></h1>' in reader.get(f"/lots/{lot.slug}?lang=fr").text
    document = reader.get(f"/api/v1/lots/{lot.slug}").json
    assert (document["language"], document["names"]) == ("es", {"en": "Washed <coffee>"})
    offer = session.scalars(select(Listing).where(Listing.lot_id == lot.id)).one()
    assert '<span dir="auto">Washed &lt;coffee&gt;</span></a>' in reader.get(f"/listings/{offer.id}?lang=en").text


@pytest.mark.parametrize("kind", ["coops", "producers", "listings", "lots"])
def test_a_program_gives_them_too(app, session, kind):
    producer = make_producer(session)
    offer = make_listing(session, producer=producer)
    person = make_producer_account(session, producer=producer)
    if kind == "coops":
        person = make_staff(session, coop=producer_coop(session, producer), role="approver")
    session.commit()
    client = sign_in(app.test_client(), session, person)
    ids = {"coops": producer.coop_id, "producers": producer.id, "listings": offer.id, "lots": offer.lot_id}
    address, headers = f"/api/v1/{kind}/{ids[kind]}/texts", {"X-CSRFToken": csrf_token(client)}
    told = {"title": "" if kind in ("coops", "producers") else "Café", "body": "" if kind == "lots" else "De la montaña."}
    given = client.put(address, json={"language": "en", "translations": {"es": told}}, headers=headers)
    assert (given.status_code, given.json) == (200, {"language": "en", "translations": {"es": told}})
    if kind in ("coops", "producers"):
        assert app.test_client().get(address).json == given.json
    twice = client.put(address, json={"language": "es", "translations": {"es": told}}, headers=headers)
    assert (twice.status_code, twice.json["code"]) == (422, "producers.bad_text")
    unknown = client.put(address, json={"language": "xx", "translations": {}}, headers=headers)
    assert unknown.status_code == 422
    if kind == "lots":
        long = client.put(address, json={"language": "en", "translations": {"es": {"body": "Largo."}}}, headers=headers)
        assert (long.status_code, long.json["code"]) == (422, "producers.bad_text")
    foreign = client.put(f"/api/v1/{kind}/{uuid4()}/texts", json={"language": "", "translations": {}}, headers=headers)
    assert foreign.status_code == 404


def test_nobody_else_changes_them(app, session):
    offer = make_listing(session)
    stranger = make_producer_account(session, producer=make_producer(session))
    session.commit()
    client = sign_in(app.test_client(), session, stranger)
    for listing_id in (offer.id, uuid4()):
        assert post(client, f"/producer/listings/{listing_id}/texts", language="es").status_code == 404
    for lot_id in (offer.lot_id, uuid4()):
        assert client.get(f"/producer/lots/{lot_id}/texts").status_code == 404
        assert post(client, f"/producer/lots/{lot_id}/texts", language="es").status_code == 404
