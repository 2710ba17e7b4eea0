"""Public pages of co-ops and producers, and a producer's own details."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.catalogue.rules import Filters
from market.http import forms, own_texts, sending
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.payees import pay_to
from market.http.sellers import identity
from market.kernel.errors import DomainError
from market.producers import queries, service
from market.producers.rules import Identity, missing_facts
from market.web.fresh import newest_cards

blueprint = Blueprint("producers", __name__)


def coop_stories(session: Session, coops: list[queries.CoopView]) -> dict[UUID, list[own_texts.Version]]:
    """Return the stories of co-ops in the languages that there are, the reader's first."""
    texts = queries.own_texts(session, "coop", [coop.id for coop in coops])
    return {coop.id: own_texts.versions(coop.story, texts[coop.id]) for coop in coops}


@blueprint.get("/coops")
@access("public")
def coops() -> ResponseReturnValue:
    """List the co-ops."""
    with unit_of_work() as session:
        found = queries.coops(session)
        stories = coop_stories(session, found)
    return render_template("producers/coops.html", coops=found, stories=stories)


@blueprint.get("/coops/<slug>")
@access("public")
def coop(slug: str) -> ResponseReturnValue:
    """Show a co-op: who it is, what its service costs the buyer, its members and certificates."""
    account_id = current_actor().account_id
    with unit_of_work() as session:
        view = queries.coop_by_slug(session, slug)
        page = queries.producer_page(session, coop_id=view.id, cursor=request.args.get("cursor"))
        certificates = queries.certificates_on(session, view.id, None, today(view.time_zone))
        count = queries.member_count(session, coop_id=view.id)
        story = coop_stories(session, [view])[view.id]
        follows = None if account_id is None else view.id in queries.followed(session, account_id)
    return render_template(
        "producers/coop.html",
        coop=view,
        page=page,
        certificates=certificates,
        story=story,
        count=count,
        follows=follows,
        cards=newest_cards(Filters(coop=view.slug)),
    )


@blueprint.post("/coops/<slug>/follow")
@access("buyer")
def follow(slug: str) -> ResponseReturnValue:
    """Begin or stop to follow a co-op."""
    account_id, wanted = current_actor().account_id, request.form.get("wanted") == "yes"
    assert account_id is not None
    with unit_of_work() as session:
        view = queries.coop_by_slug(session, slug)
        service.follow(session, account_id=account_id, coop_id=view.id, wanted=wanted, now=now())
    flash(
        _(
            "You follow %(coop)s: it stands first on your front page, and you get a mail when it has something new.",
            coop=view.name,
        )
        if wanted
        else _("You no longer follow it."),
        "good",
    )
    return redirect(url_for("producers.coop", slug=slug), 303)


@blueprint.get("/producers/<slug>")
@access("public")
def producer(slug: str) -> ResponseReturnValue:
    """Show a producer, their co-op and the certificates that cover them today; none for whoever has left."""
    with unit_of_work() as session:
        view = queries.producer_by_slug(session, slug)
        coop_view = queries.coop(session, view.coop_id)
        is_member = queries.current_member(session, coop_id=view.coop_id, producer_id=view.id) is not None
        on = today(coop_view.time_zone)
        certificates = queries.certificates_on(session, view.coop_id, view.id, on) if is_member else []
        texts = queries.own_texts(session, "producer", [view.id])[view.id]
        coop_story = coop_stories(session, [coop_view])[coop_view.id]
    goods = newest_cards(Filters(q=view.name, coop=coop_view.slug))
    return render_template(
        "producers/producer.html",
        producer=view,
        coop=coop_view,
        is_member=is_member,
        certificates=certificates,
        cards=goods,
        story=own_texts.versions(view.story, texts),
        coop_story=coop_story,
    )


@blueprint.get("/producer/details")
@access("producer")
def details() -> ResponseReturnValue:
    """Show a producer what they show of themselves, and where they are paid."""
    return _details()


@blueprint.post("/producer/details")
@access("producer")
def save_details() -> ResponseReturnValue:
    """Change what a producer shows of themselves."""
    typed = request.form
    try:
        with unit_of_work() as session:
            service.update_producer(
                session,
                actor=current_actor(),
                producer_id=_me(),
                name=forms.text(typed, "name"),
                region=forms.text(typed, "region"),
                story=forms.text(typed, "story"),
                language=forms.text(typed, "language") or "en",
                sms_phone=forms.text(typed, "sms_phone") or None,
                now=now(),
            )
    except DomainError as error:
        return _details(forms.field_errors(error))
    flash(_("Your page is saved."), "good")
    return redirect(url_for("producers.details"), 303)


@blueprint.get("/producer/identity")
@access("producer")
def my_identity() -> ResponseReturnValue:
    """Show what the tax office asks about the producer, and what of it is missing."""
    return _identity()


@blueprint.post("/producer/identity")
@access("producer")
def enter_identity() -> ResponseReturnValue:
    """Record who the producer is for the tax office."""
    try:
        with unit_of_work() as session:
            typed = identity(request.form)
            service.enter_identity(session, actor=current_actor(), producer_id=_me(), identity=typed, now=now())
    except DomainError as error:
        return _identity(forms.field_errors(error))
    flash(_("Saved."), "good")
    return redirect(url_for("producers.my_identity"), 303)


@blueprint.post("/producer/payee-accounts")
@access("producer")
def enter_payee_account() -> ResponseReturnValue:
    """Enter where a producer wants to be paid; their co-op confirms it."""
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            service.enter_payee_account(session, actor=current_actor(), producer_id=_me(), pay_to=pay_to(request.form), now=now())
            answer = sending.done(session, url_for("producers.details"))
    except DomainError as error:
        return _details(forms.field_errors(error))
    flash(_("Your co-op compares the details with you and confirms them; until then you are paid as before."), "good")
    return answer


@blueprint.post("/producer/payee-accounts/<uuid:payee_account_id>/withdraw")
@access("producer")
def withdraw_payee_account(payee_account_id: UUID) -> ResponseReturnValue:
    """Take back details that wait for confirmation."""
    with unit_of_work() as session:
        service.withdraw_payee_account(session, actor=current_actor(), payee_account_id=payee_account_id, now=now())
    flash(_("Taken back."), "good")
    return redirect(url_for("producers.details"), 303)


@blueprint.get("/producer/texts")
@access("producer")
def texts() -> ResponseReturnValue:
    """Show a producer's story in the languages that there are, to add more."""
    return _texts({})


@blueprint.post("/producer/texts")
@access("producer")
def save_texts() -> ResponseReturnValue:
    """Keep a producer's own translations of their story."""
    then = url_for("producers.details")
    return own_texts.keep(service.set_producer_texts, {"producer_id": _me()}, again=_texts, then=then)


def _texts(errors: Mapping[str, str]) -> str:
    with unit_of_work() as session:
        me = queries.producer(session, _me())
        stored = queries.own_texts(session, "producer", [me.id])[me.id]
    return own_texts.show(stored, errors, back=url_for("producers.details"), body=me.story)


def _me() -> UUID:
    producer_id = current_actor().producer_id
    assert producer_id is not None
    return producer_id


def _identity(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        known = queries.identities(session, [_me()]).get(_me(), Identity())
        lacks = missing_facts(known, has_account=queries.reportable_account(session, _me()))
    page = render_template("producers/identity.html", form=request.form if errors else known, errors=errors or {}, missing=lacks)
    return page, 422 if errors else 200


def _details(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        view = queries.producer(session, _me())
        coop_view = queries.coop(session, view.coop_id)
        accounts = queries.payee_accounts(session, actor=current_actor())
    page = render_template(
        "producers/details.html",
        producer=view,
        coop=coop_view,
        accounts=accounts,
        form=request.form if errors else {},
        errors=errors or {},
    )
    return page, 422 if errors else 200
