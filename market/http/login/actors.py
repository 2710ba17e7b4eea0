"""From a proof of identity to an `Actor`: the person of the session, or the holder of an API key."""

from dataclasses import replace
from uuid import UUID

from flask import Request
from flask import session as cookie
from flask_login import current_user
from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts import service as accounts_service
from market.http import clock, i18n
from market.http.db import unit_of_work
from market.kernel.actor import Actor
from market.producers import queries as producers

CHOSEN_COOP = "coop_id"
STANDS_IN_FOR = "stands_in_for"
SEEN_ON = "seen_on"


def by_session(request: Request) -> Actor | None:
    """Return the signed-in person, working for the co-op they chose; None when the session names nobody."""
    if "_user_id" not in cookie:
        return None
    with unit_of_work() as session:
        if not current_user.is_authenticated:
            return None
        if i18n.COOKIE not in cookie:
            i18n.remember(accounts.person(session, current_user.account_id).locale)
        if cookie.get(SEEN_ON) != (day := clock.today().isoformat()):
            cookie[SEEN_ON] = day  # by which the cookie is sent, and lasts for days from here on
        actor = actor_of(session, current_user.account_id, coop_id=_uuid(cookie.get(CHOSEN_COOP)))
        producer_id = _uuid(cookie.get(STANDS_IN_FOR))
        return standing_in(session, actor, producer_id) or actor if producer_id else actor


def by_key(request: Request) -> Actor | None:
    """Return for whom the request's API key acts; None when it presents none. Raises ApiKeyRefused for a bad one."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return None
    with unit_of_work() as session:
        holder = accounts_service.authenticate_api_key(session, text=text.strip(), now=clock.now())
        return actor_of(session, holder.account_id, coop_id=holder.coop_id, scopes=holder.scopes)


def actor_of(session: Session, account_id: UUID, *, coop_id: UUID | None = None, scopes: frozenset[str] | None = None) -> Actor:
    """Return what an account may do in `coop_id`, or in the first co-op it has to do with.

    A key made for a co-op stays with it: when its maker has lost the role there, no other co-op takes its place.
    """
    person, roles = accounts.person_with_roles(session, account_id)
    as_producer = producers.producers_of_account(session, account_id)
    coops = _coops(roles, as_producer)
    if coop_id not in coops:
        coop_id = coops[0] if coops and scopes is None else None
    held = {role for role, where in roles if where is None or where == coop_id} | {"buyer"}
    producer_id = as_producer.get(coop_id) if coop_id else None
    if producer_id is not None:
        held.add("producer")
    return Actor(
        account_id=account_id,
        coop_id=coop_id,
        producer_id=producer_id,
        roles=frozenset(held),
        name=person.name,
        scopes=scopes,
    )


def standing_in(session: Session, actor: Actor, producer_id: UUID) -> Actor | None:
    """Return the actor as somebody who does the work of a member of their co-op; None when they may not (any more).

    They have the member's role alone while it lasts, so nothing of the staff's desk is done in a member's name.
    """
    if not actor.is_staff or actor.coop_id is None:
        return None
    member = producers.current_member(session, coop_id=actor.coop_id, producer_id=producer_id)
    if member is None:
        return None
    roles = frozenset({"buyer", "producer"})
    return replace(actor, producer_id=member.id, roles=roles, on_behalf_of=member.id, on_behalf_name=member.name)


def coop_ids(session: Session, account_id: UUID) -> list[UUID]:
    """Return the co-ops that somebody has to do with: as staff first, then as a producer."""
    _, roles = accounts.person_with_roles(session, account_id)
    return _coops(roles, producers.producers_of_account(session, account_id))


def _coops(roles: list[tuple[str, UUID | None]], as_producer: dict[UUID, UUID]) -> list[UUID]:
    return list(dict.fromkeys([where for _, where in roles if where is not None] + list(as_producer)))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
