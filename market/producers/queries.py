"""Reads about co-ops, producers, members, payee accounts and certificates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from market.kernel import direct, paging
from market.kernel.actor import Actor
from market.kernel.paging import Page
from market.producers.errors import CoopMissing, PayeeAccountMissing, ProducerMissing
from market.producers.models import Certificate, Coop, Follow, Member, OwnText, PayeeAccount, Producer, TaxIdentity
from market.producers.rules import Identity

PAGE = 50


@dataclass(frozen=True, slots=True)
class CoopView:
    """A co-op as other capabilities and pages need it; percentages are of the buyer's side of a price."""

    id: UUID
    slug: str
    name: str
    country: str
    region: str
    currency: str
    time_zone: str
    language: str
    story: str
    service_pct: Decimal
    payment_pct: Decimal
    tax_pct: Decimal
    transport_minor_per_line: int
    delivery_from_days: int
    delivery_to_days: int
    account_holder: str
    iban: str | None
    bic: str | None
    street: str
    building: str
    town: str
    postcode: str
    latitude: Decimal | None
    longitude: Decimal | None
    transfer_hold_days: int
    part_paid_days: int
    book_alone_minor: int


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


@dataclass(frozen=True, slots=True)
class PayeeAccountView:
    """Where a producer is paid in one currency."""

    id: UUID
    coop_id: UUID
    producer_id: UUID
    rail: str
    currency: str
    holder: str
    iban: str | None
    bic: str | None
    stripe_account: str | None
    msisdn: str | None
    known_name: str | None
    name_doubt: str | None
    name_agreed_by: str | None
    name_reason: str | None
    street: str
    building: str
    town: str
    postcode: str
    country: str
    entered_by: str
    entered_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    replaced_at: datetime | None

    @property
    def state(self) -> str:
        """`waiting` for a second person, `live`, or `replaced`."""
        if self.replaced_at is not None:
            return "replaced"
        return "live" if self.confirmed_at is not None else "waiting"


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate as pages and price checks need it; `producer_id` None means the whole co-op holds it."""

    id: UUID
    coop_id: UUID
    producer_id: UUID | None
    scheme: str
    kind: str
    number: str
    issuer: str
    product_scope: tuple[str, ...]
    valid_from: date
    valid_to: date
    status: str
    checked_by: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Text:
    """A translation: a title where the subject has one, and the text."""

    title: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """In which language an original is (empty: nobody said), and its translations by language."""

    language: str = ""
    translations: dict[str, Text] = field(default_factory=dict)


def own_texts(session: Session, kind: str | tuple[str, ...], subject_ids: Iterable[UUID]) -> dict[UUID, OwnTexts]:
    """Return what is known of the languages of subjects (`coop`, `producer`, `listing`, `lot`), in one statement, for all."""
    wanted = list(subject_ids)
    languages: dict[UUID, str] = {}
    given: dict[UUID, dict[str, Text]] = {}
    kinds = (kind,) if isinstance(kind, str) else kind
    these = (OwnText.subject_kind.in_(kinds), OwnText.subject_id.in_(wanted))
    statement = select(OwnText).where(*these).order_by(OwnText.language)
    for row in session.scalars(statement):
        if row.original:
            languages[row.subject_id] = row.language
        else:
            given.setdefault(row.subject_id, {})[row.language] = Text(row.title, row.body)
    return {subject: OwnTexts(languages.get(subject, ""), given.get(subject, {})) for subject in wanted}


def coop(session: Session, coop_id: UUID) -> CoopView:
    """Return a co-op. Raises CoopMissing."""
    row = session.get(Coop, coop_id)
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def lock_coop(session: Session, coop_id: UUID) -> None:
    """Lock a co-op's row, so that a number of its own is given to one caller at a time."""
    session.execute(select(Coop.id).where(Coop.id == coop_id).with_for_update())


def coop_by_slug(session: Session, slug: str) -> CoopView:
    """Return the co-op at this address. Raises CoopMissing."""
    row = session.scalars(select(Coop).where(Coop.slug == slug)).one_or_none()
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def coops(session: Session, *, ids: list[UUID] | None = None) -> list[CoopView]:
    """Return co-ops by name: all, or those with `ids`."""
    statement = select(Coop).order_by(Coop.name, Coop.id)
    if ids is not None:
        statement = statement.where(Coop.id.in_(ids))
    return [_coop(row) for row in session.scalars(statement)]


def followed(session: Session, account_id: UUID) -> set[UUID]:
    """Return the co-ops that somebody follows."""
    return set(session.scalars(select(Follow.coop_id).where(Follow.account_id == account_id)))


def followers_due(session: Session, coop_ids: Iterable[UUID], *, day: datetime) -> list[tuple[UUID, UUID, datetime]]:
    """Return who follows these co-ops and got no news since `day` began: account, co-op, up to when they know its goods."""
    other = aliased(Follow)
    told_today = select(other).where(other.account_id == Follow.account_id, other.told_at >= day).exists()
    statement = (
        select(Follow.account_id, Follow.coop_id, func.coalesce(Follow.told_at, Follow.since))
        .where(Follow.coop_id.in_(list(coop_ids)), ~told_today)
        .order_by(Follow.account_id, Follow.coop_id)
    )
    return [(account_id, coop_id, known) for account_id, coop_id, known in session.execute(statement)]


def coops_by_id(session: Session, coop_ids: Iterable[UUID]) -> dict[UUID, CoopView]:
    """Return co-ops by id in one statement; unknown ids are absent."""
    return {row[0]: CoopView(*row) for row in direct.run(session, _COOPS, {"ids": list(coop_ids)})}


_COOPS = f"SELECT {', '.join(CoopView.__slots__)} FROM coop WHERE id = ANY(%(ids)s)"  # noqa: S608


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


def producers_of_account(session: Session, account_id: UUID) -> list[ProducerView]:
    """Return who an account is as a producer, one per co-op of which they are a member now."""
    statement = (
        select(Producer)
        .join(Member, Member.producer_id == Producer.id)
        .where(Producer.account_id == account_id, Member.left_on.is_(None))
        .order_by(Producer.id)
    )
    return [_producer(row) for row in session.scalars(statement)]


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
        name, last = paging.decode(cursor, 2)
        after = or_(Producer.name > name, (Producer.name == name) & (Producer.id > _uuid(last)))
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
        (number,) = paging.decode(cursor, 1)
        statement = statement.where(Member.number > _whole(number))
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
    """Return present members of a co-op by name, those whose name or number has `words` in it."""
    statement = (
        select(Member, Producer)
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == coop_id, Member.left_on.is_(None))
        .order_by(Producer.name, Producer.id)
        .limit(limit)
    )
    if words:
        named = Producer.name.icontains(words, autoescape=True)
        statement = statement.where(or_(named, Member.number == int(words)) if words.isdecimal() and len(words) < 10 else named)
    return [_member(member, of) for member, of in session.execute(statement)]


def member_count(session: Session, *, coop_id: UUID) -> int:
    """Return how many members the co-op has now."""
    statement = select(func.count()).select_from(Member).where(Member.coop_id == coop_id, Member.left_on.is_(None))
    return session.execute(statement).scalar_one()


def payee_account_for(session: Session, producer_id: UUID, currency: str) -> PayeeAccountView | None:
    """Return where a producer is paid in `currency`, confirmed by a second person; None when nowhere yet."""
    statement = select(PayeeAccount).where(
        PayeeAccount.producer_id == producer_id,
        PayeeAccount.currency == currency,
        PayeeAccount.confirmed_at.is_not(None),
        PayeeAccount.replaced_at.is_(None),
    )
    row = session.scalars(statement).one_or_none()
    return None if row is None else _payee_account(row)


def payee_account(session: Session, payee_account_id: UUID, *, actor: Actor) -> PayeeAccountView:
    """Return one payee account. Raises PayeeAccountMissing."""
    row = session.get(PayeeAccount, payee_account_id)
    if row is None or (not actor.is_staff and row.producer_id != actor.producer_id):
        raise PayeeAccountMissing("There is no such account to pay to.")
    return _payee_account(row)


def payee_accounts(
    session: Session, *, actor: Actor, producer_id: UUID | None = None, waiting: bool = False
) -> list[PayeeAccountView]:
    """Return payee accounts of the actor's co-op (for a producer, their own), newest first.

    `waiting` keeps those that a second person has still to confirm.
    """
    statement = select(PayeeAccount).where(PayeeAccount.coop_id == actor.coop_id).order_by(PayeeAccount.id.desc())
    if not actor.is_staff:
        statement = statement.where(PayeeAccount.producer_id == actor.producer_id)
    if producer_id is not None:
        statement = statement.where(PayeeAccount.producer_id == producer_id)
    if waiting:
        statement = statement.where(PayeeAccount.confirmed_at.is_(None), PayeeAccount.replaced_at.is_(None))
    return [_payee_account(row) for row in session.scalars(statement)]


def doubted_accounts(session: Session, *, coop_id: UUID) -> list[PayeeAccountView]:
    """Return accounts that are paid to or wait, whose holder has another name than the member or the wallet, oldest first."""
    statement = (
        select(PayeeAccount)
        .where(
            PayeeAccount.coop_id == coop_id,
            PayeeAccount.name_doubt.is_not(None),
            PayeeAccount.name_agreed_by.is_(None),
            PayeeAccount.replaced_at.is_(None),
        )
        .order_by(PayeeAccount.id)
        .limit(PAGE)
    )
    return [_payee_account(row) for row in session.scalars(statement)]


def wallet_to_check(session: Session, payee_account_id: UUID) -> str | None:
    """Return the number of a wallet whose name nobody has asked the provider for; None when there is none to ask."""
    statement = select(PayeeAccount.msisdn).where(PayeeAccount.id == payee_account_id, PayeeAccount.known_name.is_(None))
    return session.execute(statement).scalar_one_or_none()


def live_payee_accounts(session: Session, coop_id: UUID) -> list[PayeeAccountView]:
    """Return where every producer of a co-op is paid now: confirmed and not replaced, at most one per currency."""
    columns = [getattr(PayeeAccount, name) for name in PayeeAccountView.__slots__]
    statement = select(*columns).where(
        PayeeAccount.coop_id == coop_id, PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None)
    )
    return [PayeeAccountView(*row) for row in session.execute(statement)]


def live_accounts(session: Session, producer_ids: Sequence[UUID]) -> list[PayeeAccountView]:
    """Return where each of some producers is paid now, by currency."""
    live = (PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None))
    statement = select(PayeeAccount).where(PayeeAccount.producer_id.in_(producer_ids), *live).order_by(PayeeAccount.currency)
    return [_payee_account(row) for row in session.scalars(statement)]


def reportable_account(session: Session, producer_id: UUID) -> bool:
    """Whether a producer has a confirmed account with an identifier that a report can name; cash has none."""
    return any(one.iban or one.stripe_account for one in live_accounts(session, [producer_id]))


def identities(session: Session, producer_ids: Sequence[UUID]) -> dict[UUID, Identity]:
    """Return what is known of some sellers for the tax office; who has said nothing is absent. Callers ask for whom they may."""
    rows = session.scalars(select(TaxIdentity).where(TaxIdentity.producer_id.in_(producer_ids)))
    return {row.producer_id: Identity(**{name: getattr(row, name) for name in Identity.__slots__}) for row in rows}


def live_accounts_of(coop_id: UUID) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of where every producer of a co-op is paid now, for statements over whole runs."""
    names = ["id", "producer_id", "rail", "currency", "holder", "iban", "bic", "stripe_account", "msisdn"]
    names += ["street", "building", "postcode", "town", "country"]
    doubt = (PayeeAccount.name_doubt == "provider") & PayeeAccount.name_agreed_by.is_(None)
    unlike = case((doubt, PayeeAccount.known_name)).label("unlike")
    return select(*(getattr(PayeeAccount, name) for name in names), unlike).where(
        PayeeAccount.coop_id == coop_id, PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None)
    )


def certificates_on(session: Session, coop_id: UUID, producer_id: UUID | None, on: date) -> list[CertificateView]:
    """Return the certificates that count on a day, held by the producer or by the whole co-op (fair-prices.md 7)."""
    holder = or_(Certificate.producer_id.is_(None), Certificate.producer_id == producer_id)
    statement = select(Certificate).where(
        Certificate.coop_id == coop_id,
        holder,
        Certificate.status == "active",
        Certificate.valid_from <= on,
        Certificate.valid_to >= on,
    )
    return [_certificate(row) for row in session.scalars(statement.order_by(Certificate.scheme, Certificate.id))]


def certificates(session: Session, *, coop_id: UUID) -> list[CertificateView]:
    """Return all certificates of a co-op, those that end first first."""
    statement = select(Certificate).where(Certificate.coop_id == coop_id).order_by(Certificate.valid_to, Certificate.id)
    return [_certificate(row) for row in session.scalars(statement)]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor") from None


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor")
    return int(text)


def _coop(row: Coop) -> CoopView:
    return CoopView(**{field: getattr(row, field) for field in CoopView.__slots__})


def _producer(row: Producer) -> ProducerView:
    return ProducerView(**{field: getattr(row, field) for field in ProducerView.__slots__})


def _member(row: Member, of: Producer) -> MemberRow:
    return MemberRow(row.id, row.number, row.joined_on, row.left_on, _producer(of))


def _payee_account(row: PayeeAccount) -> PayeeAccountView:
    return PayeeAccountView(**{field: getattr(row, field) for field in PayeeAccountView.__slots__})


def _certificate(row: Certificate) -> CertificateView:
    values = {field: getattr(row, field) for field in CertificateView.__slots__}
    return CertificateView(**values | {"product_scope": tuple(row.product_scope)})
