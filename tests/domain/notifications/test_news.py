"""Followers hear of what is new at their co-ops: once a day at most, in their language, and not at all where they refused."""

from datetime import timedelta

from sqlalchemy import select

from market.kernel.actor import system
from market.notifications import letters, service
from market.notifications.models import Notification
from market.producers import service as producers
from market.producers.queries import Text
from tests.conftest import NOW
from tests.factories.accounts import actor_for, make_account
from tests.factories.catalogue import make_listing
from tests.factories.producers import make_coop, make_producer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def follower(session, *coops, **values):
    account = make_account(session, **values)
    for coop in coops:
        producers.follow(session, account_id=account.id, coop_id=coop.id, wanted=True, now=NOW - DAY)
    return account


def offer(session, coop, title, at):
    listing = make_listing(session, producer=make_producer(session, coop=coop), title=title)
    listing.published_at = at
    session.flush()
    return listing


def test_a_follower_hears_of_new_goods_once_a_day(session):
    mine, also, other = (make_coop(session, name=name) for name in ("Alto Mayo", "Luna", "Elsewhere"))
    follower(session, mine, also, name="Ana")
    offer(session, mine, "Known before", NOW - 2 * DAY)
    assert service.tell_news(session, now=NOW) == 0
    offer(session, mine, "Caturra", NOW)
    offer(session, other, "Not followed", NOW)
    assert service.tell_news(session, now=NOW + HOUR) == 1
    offer(session, also, "Shawl", NOW + HOUR + HOUR / 2)
    assert service.tell_news(session, now=NOW + 2 * HOUR) == 0, "one a day"
    assert service.tell_news(session, now=NOW + DAY) == 1
    assert service.tell_news(session, now=NOW + 3 * DAY) == 0, "nothing new"
    first, second = session.scalars(select(Notification).order_by(Notification.created_at))
    assert first.facts["facts"]["rows"] == [["Caturra", "Alto Mayo"]]
    assert (first.coop_ids, first.facts["link"]) == ([mine.id], ["coop_goods", mine.slug])
    assert second.facts["facts"]["rows"] == [["Shawl", "Luna"]]


def test_the_mail_is_in_the_language_of_the_reader_with_the_producers_own_words(session):
    coop = make_coop(session, name="Alto Mayo")
    follower(session, coop, locale="es")
    listing = offer(session, coop, "Caturra, washed", NOW)
    producers.write_texts(
        session, actor=system("test"), kind="listing", subject_id=listing.id, coop_id=coop.id, language="en",
        translations={"es": Text("Caturra lavado")}, now=NOW,
    )  # fmt: skip
    service.tell_news(session, now=NOW)
    row = session.scalars(select(Notification)).one()
    letter = letters.write(row.kind, row.locale, row.facts["facts"], link="https://fair.example/shop")
    assert letter.subject == "Nuevo en la tienda: Alto Mayo"
    assert "Caturra lavado: Alto Mayo" in letter.text


def test_who_refused_news_gets_none(session):
    coop = make_coop(session)
    account = follower(session, coop)
    service.choose(session, actor=actor_for(session, account), topic="news", wanted=False)
    offer(session, coop, "Caturra", NOW)
    service.tell_news(session, now=NOW)
    assert session.scalars(select(Notification.state)).all() == ["unwanted"]
