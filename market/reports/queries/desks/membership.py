"""Members, where they are paid, their offers and certificates, who works for the co-op, keys of programs, and all co-ops."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select, true

from market.accounts.models import Account, AccountRole, ApiKey
from market.catalogue.models import Listing
from market.producers.models import Certificate, Coop, Member, PayeeAccount, Producer
from market.producers.rules import RAILS
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    between_dates,
    between_days,
    by_day,
    contains,
    one_named,
    one_of,
    search_of,
)


def members(viewer: Viewer) -> Source:
    """Return the co-op's members by number."""
    paid = select(PayeeAccount.id).where(PayeeAccount.producer_id == Producer.id, PayeeAccount.replaced_at.is_(None))
    waits = paid.where(PayeeAccount.confirmed_at.is_(None)).exists()
    payable = paid.where(PayeeAccount.confirmed_at.is_not(None)).exists()
    where_paid = case((waits, "waits"), (payable, "confirmed"), else_="none")
    statement = (
        select(
            Producer.id,
            Member.number,
            Producer.name,
            Producer.region,
            Member.joined_on,
            Member.left_on,
            case((Member.left_on.is_(None), "member"), else_="left").label("state"),
            where_paid.label("paid_at"),
        )
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "number": Sorting(((Member.number, int), (Producer.id, UUID))),
            "name": Sorting(((Producer.name, str), (Producer.id, UUID))),
        },
        {
            "q": lambda text: Member.number == int(text) if text.isdigit() else contains(Producer.name, text),
            "state": one_named({"member": Member.left_on.is_(None), "left": Member.left_on.is_not(None)}),
            "paid": one_named({"waits": waits, "confirmed": payable, "none": ~paid.exists()}),
        },
    )


def listings(viewer: Viewer) -> Source:
    """Return the co-op's listings, newest first."""
    statement = (
        select(
            Listing.id,
            Listing.title,
            Producer.name.label("producer"),
            Listing.state,
            Listing.check_outcome,
            Listing.unit_price,
            Listing.floor_price,
            Listing.currency,
            Listing.unit,
            Listing.updated_at,
            Listing.withdrawn_reason,
        )
        .outerjoin(Producer, Producer.id == Listing.producer_id)
        .where(Listing.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"newest": by_day(Listing.updated_at, unique=Listing.id)},
        {
            "q": lambda text: or_(contains(Listing.title, text), contains(Producer.name, text)),
            "state": one_of(Listing.state, ("draft", "published", "withdrawn")),
            "check": one_of(Listing.check_outcome, ("ok", "warning", "not_checkable", "violation")),
        },
    )


def certificates(viewer: Viewer) -> Source:
    """Return the certificates, those that end first first."""
    ended = (Certificate.status == "active") & (Certificate.valid_to < viewer.today)
    state = case((ended, "ended"), else_=Certificate.status)
    columns = (
        Certificate.id, Certificate.number, Certificate.scheme, Certificate.kind, Certificate.issuer, Certificate.valid_from,
        Certificate.valid_to, Certificate.product_scope, Certificate.status,
    )  # fmt: skip
    return Source(
        select(*columns, Producer.name.label("holder"), state.label("state"))
        .outerjoin(Producer, Producer.id == Certificate.producer_id)
        .where(Certificate.coop_id == viewer.coop_id),
        {"ends": Sorting(((Certificate.valid_to, date.fromisoformat), (Certificate.id, UUID)))},
        {
            "q": search_of(Certificate.number, Certificate.scheme, Producer.name),
            "kind": one_of(Certificate.kind, ("trade", "organic", "other")),
            "state": one_of(state, ("entered", "active", "ended", "suspended", "withdrawn")),
            **between_dates(Certificate.valid_to),
        },
    )


def people(viewer: Viewer) -> Source:
    """Return who holds which role for the co-op, by name."""
    statement = (
        select(AccountRole.id, Account.name, Account.email, AccountRole.role, AccountRole.granted_at, AccountRole.granted_by)
        .join(Account, Account.id == AccountRole.account_id)
        .where(AccountRole.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"name": Sorting(((Account.name, str), (AccountRole.id, UUID)))},
        {
            "q": lambda text: or_(contains(Account.name, text), contains(Account.email, text)),
            "role": one_of(AccountRole.role, ("preparer", "approver")),
        },
    )


def payee_accounts(viewer: Viewer) -> Source:
    """Return where members are paid, the newest first; `state` says what a person has to do about it."""
    waits = PayeeAccount.confirmed_at.is_(None) & PayeeAccount.replaced_at.is_(None)
    doubted = PayeeAccount.name_doubt.is_not(None) & PayeeAccount.name_agreed_by.is_(None) & PayeeAccount.replaced_at.is_(None)
    state = case((doubted, "doubted"), (waits, "waits"), (PayeeAccount.replaced_at.is_(None), "confirmed"), else_="replaced")
    number = func.coalesce(PayeeAccount.iban, PayeeAccount.stripe_account, PayeeAccount.msisdn)
    columns = (
        PayeeAccount.id, PayeeAccount.producer_id, Producer.name.label("member"), PayeeAccount.rail, number.label("number"),
        PayeeAccount.holder, PayeeAccount.currency, PayeeAccount.entered_at, state.label("state"),
    )  # fmt: skip
    states = {"todo": waits | doubted, **{code: state == code for code in ("doubted", "waits", "confirmed", "replaced")}}
    return Source(
        select(*columns)
        .outerjoin(Producer, Producer.id == PayeeAccount.producer_id)
        .where(PayeeAccount.coop_id == viewer.coop_id),
        {
            "newest": by_day(PayeeAccount.entered_at, unique=PayeeAccount.id),
            "oldest": by_day(PayeeAccount.entered_at, unique=PayeeAccount.id, descending=False),
        },
        {
            "q": lambda text: or_(search_of(Producer.name, PayeeAccount.holder)(text), number == "".join(text.split()).upper()),
            "state": one_named({**states, "all": true()}),
            "rail": one_of(PayeeAccount.rail, RAILS),
            **between_days(viewer, PayeeAccount.entered_at),
        },
    )


def keys(viewer: Viewer) -> Source:
    """Return the keys of programs that work for the co-op, whoever made them, the newest first."""
    assert viewer.now is not None
    state: Any = case((ApiKey.revoked_at.is_not(None), "revoked"), (ApiKey.expires_at <= viewer.now, "ended"), else_="works")
    columns = (
        ApiKey.id, ApiKey.label, Account.name.label("person"), Account.email, ApiKey.scopes, ApiKey.created_at, ApiKey.expires_at,
        ApiKey.last_used_at, state.label("state"),
    )  # fmt: skip
    return Source(
        select(*columns).join(Account, Account.id == ApiKey.account_id).where(ApiKey.coop_id == viewer.coop_id),
        {
            "newest": by_day(ApiKey.created_at, unique=ApiKey.id),
            "ends": Sorting(((ApiKey.expires_at, datetime.fromisoformat), (ApiKey.id, UUID))),
        },
        {
            "q": search_of(ApiKey.label, Account.name, Account.email),
            "state": one_of(state, ("works", "ended", "revoked")),
            **between_days(viewer, ApiKey.created_at),
        },
    )


def coops(viewer: Viewer) -> Source:
    """Return the co-ops of the site by name."""
    del viewer
    return Source(
        select(Coop.id, Coop.name, Coop.slug, Coop.country, Coop.region, Coop.currency),
        {"name": Sorting(((Coop.name, str), (Coop.id, UUID)))},
        {
            "q": search_of(Coop.name, Coop.slug, Coop.region),
            "country": lambda text: Coop.country == text.upper(),
            "currency": lambda text: Coop.currency == text.upper(),
        },
    )
