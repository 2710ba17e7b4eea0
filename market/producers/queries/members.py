"""Producers, and their membership in co-ops."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.orm import Session

from market.kernel import direct, paging
from market.kernel.actor import Actor
from market.kernel.paging import Page
from market.producers.errors import ProducerMissing
from market.producers.models import Member, Producer

PAGE = 50
_OF_ACCOUNT = """
SELECT p.coop_id, p.id
  FROM producer p JOIN member m ON m.producer_id = p.id
 WHERE p.account_id = %(account)s AND m.left_on IS NULL
 ORDER BY p.id"""
MARKS = "[\u0300-\u036f]"
"""Accents apart from their letters: an officer's keyboard may have none."""


@dataclass(frozen=True, slots=True)
class ProducerView:
    """A producer with what they agreed to have shown, and who they are on this site."""

    id: UUID
    coop_id: UUID
    slug: str
    name: str
    region: str
    story: str
    language: str
    account_id: UUID | None
    sms_phone: str | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A membership with its producer."""

    id: UUID
    number: int
    joined_on: date
    left_on: date | None
    producer: ProducerView


def producer(session: Session, producer_id: UUID) -> ProducerView:
    """Return a producer within the scope of the transaction. Raises ProducerMissing."""
    row = session.get(Producer, producer_id)
    if row is None:
        raise ProducerMissing("There is no such producer.")
    return _producer(row)


def own_producer(session: Session, producer_id: UUID, *, actor: Actor) -> ProducerView:
    """Return a producer of the actor's co-op, for a producer only themselves. Raises ProducerMissing."""
    found = producer(session, producer_id)
    if found.coop_id != actor.coop_id or not (actor.is_staff or producer_id == actor.producer_id):
        raise ProducerMissing("There is no such producer.")
    return found


def producer_by_slug(session: Session, slug: str) -> ProducerView:
    """Return the producer at this address. Raises ProducerMissing."""
    row = session.scalars(select(Producer).where(Producer.slug == slug)).one_or_none()
    if row is None:
        raise ProducerMissing("There is no such producer.")
    return _producer(row)


def producers_by_id(session: Session, producer_ids: Iterable[UUID]) -> dict[UUID, ProducerView]:
    """Return producers by id in one statement; unknown ids are absent."""
    rows = session.scalars(select(Producer).where(Producer.id.in_(list(producer_ids))))
    return {row.id: _producer(row) for row in rows}


def producers_of(session: Session, *, coop_id: UUID) -> list[ProducerView]:
    """Return the producers of a co-op by name, those who left included."""
    statement = select(Producer).where(Producer.coop_id == coop_id).order_by(Producer.name, Producer.id)
    return [_producer(row) for row in session.scalars(statement)]


def producers_of_account(session: Session, account_id: UUID) -> dict[UUID, UUID]:
    """Return who an account is as a producer: the producer's id by co-op, of those in which they are a member now.

    Each request of somebody signed in asks this.
    """
    return {coop_id: producer_id for coop_id, producer_id in direct.run(session, _OF_ACCOUNT, {"account": account_id})}


def producer_page(
    session: Session, *, coop_id: UUID | None = None, cursor: str | None = None, size: int = PAGE
) -> Page[ProducerView]:
    """Return the present members by name, of one co-op or of all. Raises BadCursor."""
    statement = (
        select(Producer)
        .join(Member, Member.producer_id == Producer.id)
        .where(Member.left_on.is_(None))
        .order_by(Producer.name, Producer.id)
        .limit(size + 1)
    )
    if coop_id is not None:
        statement = statement.where(Producer.coop_id == coop_id)
    if cursor:
        name, last = paging.read(cursor, str, UUID)
        after = or_(Producer.name > name, (Producer.name == name) & (Producer.id > last))
        statement = statement.where(after)
    rows = session.scalars(statement).all()
    following = paging.encode([rows[size - 1].name, rows[size - 1].id]) if len(rows) > size else None
    return Page([_producer(row) for row in rows[:size]], following)


def member_page(session: Session, *, coop_id: UUID, cursor: str | None = None, size: int = PAGE) -> Page[MemberRow]:
    """Return the co-op's memberships by number, those who left included. Raises BadCursor."""
    statement = (
        select(Member, Producer)
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == coop_id)
        .order_by(Member.number)
        .limit(size + 1)
    )
    if cursor:
        (number,) = paging.read(cursor, _whole)
        statement = statement.where(Member.number > number)
    rows = session.execute(statement).all()
    following = paging.encode([rows[size - 1][0].number]) if len(rows) > size else None
    return Page([_member(member, of) for member, of in rows[:size]], following)


def member(session: Session, *, coop_id: UUID, producer_id: UUID) -> MemberRow:
    """Return a producer's latest membership. Raises ProducerMissing."""
    statement = (
        select(Member, Producer)
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == coop_id, Member.producer_id == producer_id)
        .order_by(Member.joined_on.desc(), Member.id.desc())
        .limit(1)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise ProducerMissing("There is no such producer.")
    return _member(found[0], found[1])


def current_member(session: Session, *, coop_id: UUID, producer_id: UUID) -> ProducerView | None:
    """Return a producer who is a member of the co-op now; None for anybody else."""
    statement = (
        select(Producer)
        .join(Member, Member.producer_id == Producer.id)
        .where(Member.coop_id == coop_id, Member.producer_id == producer_id, Member.left_on.is_(None))
    )
    row = session.scalars(statement).one_or_none()
    return _producer(row) if row else None


def find_members(session: Session, *, coop_id: UUID, words: str = "", limit: int = PAGE) -> list[MemberRow]:
    """Return present members of a co-op by name, those whose name or number has `words` in it, with accents or without."""
    statement = (
        select(Member, Producer)
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == coop_id, Member.left_on.is_(None))
        .order_by(Producer.name, Producer.id)
        .limit(limit)
    )
    if words:
        plain = func.regexp_replace(func.normalize(Producer.name, literal_column("NFKD")), MARKS, "", "g")
        named = plain.icontains(re.sub(MARKS, "", unicodedata.normalize("NFKD", words)), autoescape=True)
        statement = statement.where(or_(named, Member.number == int(words)) if words.isdecimal() and len(words) < 10 else named)
    return [_member(member, of) for member, of in session.execute(statement)]


def members_by_name(session: Session, *, coop_id: UUID) -> dict[str, UUID]:
    """Return the members of a co-op by what files call them: their number, and the id of their producer."""
    found = session.execute(select(Member.number, Member.producer_id).where(Member.coop_id == coop_id))
    return {name: who for number, who in found for name in (str(number), str(who))}


def member_count(session: Session, *, coop_id: UUID) -> int:
    """Return how many members the co-op has now."""
    statement = select(func.count()).select_from(Member).where(Member.coop_id == coop_id, Member.left_on.is_(None))
    return session.execute(statement).scalar_one()


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise ValueError(text)
    return int(text)


def _producer(row: Producer) -> ProducerView:
    return ProducerView(**{field: getattr(row, field) for field in ProducerView.__slots__})


def _member(row: Member, of: Producer) -> MemberRow:
    return MemberRow(row.id, row.number, row.joined_on, row.left_on, _producer(of))
