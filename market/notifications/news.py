"""The news of the co-ops that somebody follows: at most one mail a day, of what came into the shop since the last one."""

from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.catalogue import queries as catalogue
from market.notifications.telling import Telling
from market.producers import queries as producers

WINDOW = timedelta(days=7)
"""How old news may be; whoever follows is told within the day, so only a long standstill loses any."""
MOST = 12
"""How many offers a mail names."""


def due(session: Session, *, now: datetime) -> list[Telling]:
    """Return the mails with news that are due now: nobody twice on one day (UTC), nobody without anything new."""
    fresh = catalogue.published_since(session, now - WINDOW)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    follows = producers.followers_due(session, {offer.coop_id for offer in fresh}, day=day)
    known = {account_id: {coop_id: at for _, coop_id, at in rows} for account_id, rows in groupby(follows, lambda row: row[0])}
    people = accounts.people(session, known)
    coops = producers.coops_by_id(session, {offer.coop_id for offer in fresh})
    mails = []
    for account_id, person in people.items():
        seen = known[account_id]
        news = [offer for offer in fresh if offer.coop_id in seen and offer.published_at > seen[offer.coop_id]][:MOST]
        if news:
            mails.append(_mail(person, news, coops, day))
    return mails


def _mail(
    person: accounts.Person, news: list[catalogue.NewListing], coops: dict[UUID, producers.CoopView], day: datetime
) -> Telling:
    own = list(dict.fromkeys(offer.coop_id for offer in news))
    names = [coops[coop_id].name for coop_id in own]
    return Telling(
        fact=f"news:{person.id}:{day:%Y-%m-%d}",
        kind="coop_news",
        email=person.email,
        name=person.name,
        locale=person.locale,
        account_id=person.id,
        link=("coop_goods", coops[own[0]].slug) if len(own) == 1 else ("front", ""),
        facts={
            "coops": ", ".join(names),
            "rows": [[offer.titles.get(person.locale, offer.title), coops[offer.coop_id].name] for offer in news],
        },
        about=tuple(own),
    )
