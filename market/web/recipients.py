"""A producer's account at the card processor, for those who want to be paid there: opened, completed, confirmed by the co-op."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from market.accounts import queries as people
from market.http import links, recipients
from market.http.auth import NotYours, access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.producers import queries, service
from market.producers.ports import Recipients
from market.producers.queries import PayeeAccountView
from market.producers.rules import PayTo, PostalAddress

blueprint = Blueprint("recipients", __name__, url_prefix="/producer/money/account")


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """Show how far the account is, and what is still asked."""
    known, seen = _known(), None
    if known is not None and recipients.port() is not None:
        seen = recipients.answer(lambda: _recipients().look(str(known.stripe_account)))
    return render_template("producer/recipient.html", known=known, seen=seen, offered=recipients.port() is not None)


@blueprint.post("")
@access("producer")
def begin() -> ResponseReturnValue:
    """Open the account, once, and enter it as where to be paid; somebody of the co-op confirms it."""
    producer_id = _me()
    if _known() is None and recipients.port() is not None:
        with unit_of_work() as session:
            producer, coop = queries.producer(session, producer_id), queries.coop(session, current_coop())
            email = _email(session)
        made = recipients.answer(
            lambda: _recipients().open(
                key=f"recipient-{producer_id}", name=producer.name, email=email, country=coop.country, about=str(producer_id)
            )
        )
        pay_to = PayTo("stripe", coop.currency, producer.name, PostalAddress(country=coop.country), stripe_account=made.account)
        with unit_of_work() as session:
            service.enter_payee_account(session, actor=current_actor(), producer_id=producer_id, pay_to=pay_to, now=now())
    return redirect(url_for("recipients.index"), 303)


@blueprint.get("/details")
@access("producer")
def details() -> ResponseReturnValue:
    """Lead to the processor's page that asks for what is missing."""
    known = _known()
    if known is None or recipients.port() is None:
        return redirect(url_for("recipients.index"), 303)
    back, again = (links.public(url_for(f"recipients.{name}")) for name in ("index", "details"))
    return redirect(recipients.answer(lambda: _recipients().page(str(known.stripe_account), back=back, again=again)), 303)


def _known() -> PayeeAccountView | None:
    with unit_of_work() as session:
        own = queries.payee_accounts(session, actor=current_actor(), producer_id=_me())
    return next((row for row in own if row.rail == "stripe" and row.replaced_at is None), None)


def _recipients() -> Recipients:
    found = recipients.port()
    if found is None:
        raise NotFound
    return found


def _email(session: Session) -> str:
    account_id = current_actor().account_id
    assert account_id is not None
    return people.person(session, account_id).email


def _me() -> UUID:
    producer_id = current_actor().producer_id
    if producer_id is None:
        raise NotYours("This needs a producer, and your account is none.")
    return producer_id
