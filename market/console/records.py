"""Desks over what was done and said: the audit of every record, mails, listings, payouts, the people of the co-op."""

from typing import Any
from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.console import audit_words, lists, words
from market.console.lists import Column, Desk, Filter
from market.http.auth import access
from market.payables import queries as payables
from market.payouts import queries as payouts
from market.payouts.rules.numbers import payout_number
from market.reports.queries import desks

blueprint = Blueprint("console_records", __name__, url_prefix="/console")


@blueprint.app_context_processor
def _audit_words() -> dict[str, Any]:
    return {"audit_words": audit_words}


def _audit_pane(session: Session, entry_id: int) -> dict[str, Any]:
    entry = desks.audit_entry(session, entry_id)
    return {"entry": entry, "history": desks.history(session, entry.subject_kind, entry.subject_id)} if entry else {}


AUDIT = Desk(
    name="audit",
    title=_l("Who did what"),
    endpoint="console_records.audit",
    source=desks.audit,
    columns=(
        Column("at", _l("When"), "instant"),
        Column("person", _l("Who")),
        Column("action", _l("What"), "link"),
        Column("subject_kind", _l("Record")),
        Column("old", _l("Before")),
        Column("new", _l("After")),
    ),
    filters=(
        Filter("action", _l("What"), "choice", tuple(audit_words.ACTIONS.items())),
        Filter("kind", _l("Kind of record"), "choice", tuple(audit_words.KINDS.items())),
        Filter("id", _l("Id of the record")),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    pane=_audit_pane,
    key=int,
    lead=_l("Every act of a person or task on a record, with old and new values. Entries are only ever added."),
    empty=_l("Nothing was done yet."),
)

MAILS = Desk(
    name="mails",
    title=_l("Mails sent"),
    endpoint="console_records.mails",
    source=desks.mails,
    columns=(
        Column("created_at", _l("Written"), "instant"),
        Column("kind", _l("About"), words=words.LETTERS),
        Column("name", _l("To")),
        Column("email", _l("Address")),
        Column("locale", _l("Language")),
        Column("state", _l("State"), "state", words.MAILS),
        Column("sent_at", _l("Sent"), "instant"),
        Column("problem", _l("Problem")),
    ),
    filters=(
        Filter("q", _l("Name or address")),
        Filter("state", _l("State"), "choice", words.options(words.MAILS)),
        Filter("kind", _l("About"), "choice", words.options(words.LETTERS)),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    lead=_l("What was said in the co-op's name, to buyers, producers and colleagues, once for each fact."),
    empty=_l("No mail was written yet."),
)


def _listing_pane(session: Session, listing_id: UUID) -> dict[str, Any]:
    offer = catalogue.listing(session, listing_id)
    return {"offer": offer, "history": desks.history(session, "listing", listing_id)}


LISTINGS = Desk(
    name="listings",
    title=_l("Listings"),
    endpoint="console_records.listings",
    source=desks.listings,
    columns=(
        Column("title", _l("Listing"), "link"),
        Column("producer", _l("Producer")),
        Column("unit_price", _l("Price"), "price"),
        Column("floor_price", _l("Floor"), "price"),
        Column("check_outcome", _l("Price check"), "state", words.CHECKS),
        Column("state", _l("State"), "state", words.LISTINGS),
        Column("updated_at", _l("Changed"), "instant"),
    ),
    filters=(
        Filter("q", _l("Title or producer")),
        Filter("state", _l("State"), "choice", words.options(words.LISTINGS)),
        Filter("check", _l("Price check"), "choice", words.options(words.CHECKS)),
    ),
    pane=_listing_pane,
    empty=_l("What your members offer stands here."),
)


def _payout_pane(session: Session, payout_id: UUID) -> dict[str, Any]:
    found = payouts.payout(session, payout_id)
    pays = payables.by_ids(session, [payable_id for payable_id, _minor in payouts.items(session, found.id)])
    return {"payout": found, "pays": pays, "history": desks.history(session, "payout", payout_id)}


PAYOUTS = Desk(
    name="payouts",
    title=_l("All payouts"),
    endpoint="console_records.all_payouts",
    source=desks.payouts,
    columns=(
        Column("number", _l("Number"), "link"),
        Column("payee", _l("Payee")),
        Column("rail", _l("Way"), words=words.RAILS),
        Column("reference", _l("Reference")),
        Column("amount_minor", _l("Amount"), "money"),
        Column("state", _l("State"), "state", words.PAYOUTS),
        Column("changed_at", _l("Changed"), "instant"),
    ),
    filters=(
        Filter("q", _l("Number, reference or payee")),
        Filter("state", _l("State"), "choice", words.options(words.PAYOUTS, ("problem", _l("needs a look")))),
        Filter("rail", _l("Way"), "choice", words.options(words.RAILS)),
        Filter("run", _l("Run")),
        Filter("from", _l("Changed from"), "day"),
        Filter("to", _l("Changed to"), "day"),
        Filter("amount", _l("Amount"), "amount"),
    ),
    sortings=(("newest", _l("newest first")), ("largest", _l("largest amount first"))),
    pane=_payout_pane,
    empty=_l("Nobody was paid yet."),
)

PEOPLE = Desk(
    name="people",
    title=_l("People and roles"),
    endpoint="console_records.people",
    source=desks.people,
    columns=(
        Column("name", _l("Name")),
        Column("email", _l("Address")),
        Column("role", _l("Role"), "state", words.ROLES),
        Column("granted_at", _l("Since"), "instant"),
    ),
    filters=(
        Filter("q", _l("Name or address")),
        Filter("role", _l("Role"), "choice", tuple((code, words.ROLES[code][0]) for code in ("preparer", "approver"))),
    ),
    lead=_l("A preparer prepares, an approver approves what somebody else prepared. An administrator of the site gives roles."),
    empty=_l("Nobody has a role here."),
)


@blueprint.get("/audit")
@access("staff")
def audit() -> ResponseReturnValue:
    """List who did what, newest first."""
    return lists.show(AUDIT, "console/audit.html")


@blueprint.get("/mails")
@access("staff")
def mails() -> ResponseReturnValue:
    """List the mails about the co-op's business, newest first."""
    return lists.show(MAILS)


@blueprint.get("/listings")
@access("staff")
def listings() -> ResponseReturnValue:
    """List the co-op's listings with the outcome of their price check."""
    return lists.show(LISTINGS, "console/listings.html")


@blueprint.get("/payouts/all")
@access("staff")
def all_payouts() -> ResponseReturnValue:
    """List the co-op's payouts, newest first."""
    return lists.show(PAYOUTS, "console/payouts/all.html", payout_number=payout_number)


@blueprint.get("/people")
@access("staff")
def people() -> ResponseReturnValue:
    """List who has which role for the co-op."""
    return lists.show(PEOPLE)
