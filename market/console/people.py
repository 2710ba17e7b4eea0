"""Staff pages about people: today's work, members, where they are paid, certificates, keys, the co-op itself."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts import service as accounts_service
from market.console import lists, words
from market.console.lists import Column, Desk, Filter
from market.console.people_lists import KEYS, PAYEE_ACCOUNTS
from market.http import forms, login, sending
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.i18n import told
from market.http.payees import pay_to
from market.kernel.errors import DomainError
from market.payables import queries as payables
from market.payouts import queries as payouts
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries, service
from market.reports.queries import desks

blueprint = Blueprint("console_people", __name__, url_prefix="/console")


def _pane(session: Session, producer_id: UUID) -> dict[str, Any]:
    return {
        "row": queries.member(session, coop_id=current_coop(), producer_id=producer_id),
        "payees": queries.payee_accounts(session, actor=current_actor(), producer_id=producer_id),
        "owed": payables.owed_to(session, producer_id),
        "history": desks.history(session, "producer", producer_id),
    }


MEMBERS = Desk(
    name="members",
    title=_l("Members"),
    endpoint="console_people.members",
    source=desks.members,
    columns=(
        Column("number", _l("Number"), "number"),
        Column("name", _l("Name"), "link"),
        Column("region", _l("Region")),
        Column("joined_on", _l("Joined"), "day"),
        Column("state", _l("State"), "state", words.MEMBERS),
        Column("paid_at", _l("Where they are paid"), "state", words.PAID_AT),
    ),
    filters=(
        Filter("q", _l("Number or name")),
        Filter("state", _l("State"), "choice", words.options(words.MEMBERS)),
        Filter("paid", _l("Where they are paid"), "choice", words.options(words.PAID_AT)),
    ),
    sortings=(("number", _l("by number")), ("name", _l("by name"))),
    pane=_pane,
    empty=_l("Take in the first member."),
)


CERTIFICATES = Desk(
    name="certificates",
    title=_l("Certificates"),
    endpoint="console_people.certificates",
    source=desks.certificates,
    columns=(
        Column("number", _l("Number"), "link"),
        Column("scheme", _l("Scheme"), make=lambda row: told(SCHEME_NAMES.get(row.scheme, row.scheme))),
        Column("kind", _l("Kind"), words=words.CLAIMS),
        Column("holder", _l("Held by"), make=lambda row: row.holder or _("the co-op")),
        Column("valid_from", _l("From"), "day"),
        Column("valid_to", _l("Until"), "day"),
        Column("state", _l("State"), "state", words.CERTIFICATES),
    ),
    filters=(
        Filter("q", _l("Number, scheme or holder")),
        Filter("kind", _l("Kind"), "choice", words.options(words.CLAIMS)),
        Filter("state", _l("State"), "choice", words.options(words.CERTIFICATES)),
        Filter("from", _l("Ends from"), "day"),
        Filter("to", _l("Ends by"), "day"),
    ),
    kind="certificate",
    lead=_l(
        "A claim such as “organic” needs an active certificate on the day. A certificate counts once somebody has compared it"
        " with the paper; it is never deleted."
    ),
    empty=_l("Enter the first certificate."),
)


@blueprint.get("/members")
@access("staff")
def members() -> ResponseReturnValue:
    """List the members by number."""
    return lists.show(MEMBERS, "console/members.html")


@blueprint.get("/members/new")
@access("staff")
def new_member() -> ResponseReturnValue:
    """Show the form that takes in a member."""
    return render_template("console/new_member.html", form={"joined_on": today().isoformat()}, errors={})


@blueprint.post("/members/new")
@access("staff")
def add_member() -> ResponseReturnValue:
    """Take in a member; with an e-mail address they are invited to an account."""
    typed = request.form
    email, name, language = (forms.text(typed, field) for field in ("email", "name", "language"))
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            account_id = None
            if email:
                account_id = login.open_account(session, email=email, name=name or email, locale=language or "en", now=now())
            producer_id = service.add_producer(
                session,
                actor=current_actor(),
                name=name,
                region=forms.text(typed, "region"),
                story=forms.text(typed, "story"),
                language=language or "en",
                sms_phone=forms.text(typed, "sms_phone") or None,
                joined_on=forms.day(typed, "joined_on"),
                account_id=account_id,
                now=now(),
            )
            answer = sending.done(session, url_for("console_people.member", producer_id=producer_id))
    except DomainError as error:
        return render_template("console/new_member.html", form=typed, errors=forms.field_errors(error)), 422
    flash(_("The member is taken in."), "good")
    return answer


@blueprint.get("/members/<uuid:producer_id>")
@access("staff")
def member(producer_id: UUID) -> ResponseReturnValue:
    """Show a member: account, where they are paid, certificates."""
    return _member(producer_id)


@blueprint.post("/members/<uuid:producer_id>/invite")
@access("staff")
def invite(producer_id: UUID) -> ResponseReturnValue:
    """Invite the person who is this producer."""
    try:
        with unit_of_work() as session:
            producer = queries.own_producer(session, producer_id, actor=current_actor())
            account_id = login.open_account(
                session, email=forms.text(request.form, "email"), name=producer.name, locale=producer.language, now=now()
            )
            service.link_account(session, actor=current_actor(), producer_id=producer_id, account_id=account_id, now=now())
    except DomainError as error:
        return _member(producer_id, forms.field_errors(error))
    flash(_("Invited: a letter tells them how to set a password."), "good")
    return redirect(url_for("console_people.member", producer_id=producer_id), 303)


@blueprint.post("/members/<uuid:producer_id>/leave")
@access("staff")
def leave(producer_id: UUID) -> ResponseReturnValue:
    """End a membership; what is owed stays owed."""
    try:
        with unit_of_work() as session:
            service.end_membership(
                session,
                actor=current_actor(),
                producer_id=producer_id,
                left_on=forms.day(request.form, "left_on"),
                now=now(),
            )
    except DomainError as error:
        return _member(producer_id, forms.field_errors(error))
    flash(_("The membership is ended."), "good")
    return redirect(url_for("console_people.member", producer_id=producer_id), 303)


@blueprint.post("/members/<uuid:producer_id>/payee-accounts")
@access("staff")
def enter_payee_account(producer_id: UUID) -> ResponseReturnValue:
    """Enter where a member wants to be paid; an approver confirms it."""
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            service.enter_payee_account(
                session, actor=current_actor(), producer_id=producer_id, pay_to=pay_to(request.form), now=now()
            )
            answer = sending.done(session, url_for("console_people.member", producer_id=producer_id))
    except DomainError as error:
        return _member(producer_id, forms.field_errors(error))
    flash(_("Entered. Another person compares it with the paper and confirms it."), "good")
    return answer


def _member(producer_id: UUID, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.member(session, coop_id=current_coop(), producer_id=producer_id)
        account_id = row.producer.account_id
        page = render_template(
            "console/member.html",
            row=row,
            coop=queries.coop(session, current_coop()),
            person=accounts.person(session, account_id) if account_id else None,
            payees=queries.payee_accounts(session, actor=current_actor(), producer_id=producer_id),
            bad=payouts.bad_accounts(session, current_coop()),
            history=desks.history(session, "producer", producer_id),
            certificates=queries.certificates_on(session, current_coop(), producer_id, today()),
            actor=current_actor(),
            today=today().isoformat(),
            form=request.form if errors else {},
            errors=errors or {},
        )
    return page, 422 if errors else 200


@blueprint.get("/payee-accounts")
@access("staff")
def payee_accounts() -> ResponseReturnValue:
    """List the accounts that wait for a second person, and those whose holder has another name."""
    return _payee_accounts({})


def _payee_accounts(errors: dict[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    page = lists.show(PAYEE_ACCOUNTS, "console/payee_accounts.html", opened, actor=current_actor(), errors=errors)
    return lists.answered(page, errors)


@blueprint.post("/payee-accounts/<uuid:payee_account_id>/name")
@access("staff")
def agree_name(payee_account_id: UUID) -> ResponseReturnValue:
    """Say why an account's holder has another name than the member."""
    reason = request.form.get("reason", "")
    try:
        with unit_of_work() as session:
            service.agree_name(session, actor=current_actor(), payee_account_id=payee_account_id, reason=reason, now=now())
    except DomainError as error:
        if error.kind == "missing":
            raise
        return _payee_accounts({"reason": told(error.detail)}, payee_account_id)
    flash(_("Noted with your name and reason."), "good")
    return redirect(url_for("console_people.payee_accounts", open=payee_account_id), 303)


@blueprint.post("/payee-accounts/<uuid:payee_account_id>/confirm")
@access("approver")
def confirm_payee_account(payee_account_id: UUID) -> ResponseReturnValue:
    """Declare an account right, as the second person."""
    return _decide_payee_account(payee_account_id, confirmed=True)


@blueprint.post("/payee-accounts/<uuid:payee_account_id>/withdraw")
@access("staff")
def withdraw_payee_account(payee_account_id: UUID) -> ResponseReturnValue:
    """Refuse an account that waits."""
    return _decide_payee_account(payee_account_id, confirmed=False)


def _decide_payee_account(payee_account_id: UUID, *, confirmed: bool) -> ResponseReturnValue:
    decide = service.confirm_payee_account if confirmed else service.withdraw_payee_account
    with unit_of_work() as session:
        decide(session, actor=current_actor(), payee_account_id=payee_account_id, now=now())
    flash(_("Confirmed: payments go there from now on.") if confirmed else _("Refused: nothing is paid there."), "good")
    return redirect(url_for("console_people.payee_accounts"), 303)


@blueprint.get("/certificates")
@access("staff")
def certificates() -> ResponseReturnValue:
    """List certificates, those that end first first."""
    return _certificates()


@blueprint.post("/certificates")
@access("staff")
def enter_certificate() -> ResponseReturnValue:
    """Enter a certificate; it counts once somebody has checked it."""
    typed = request.form
    try:
        with unit_of_work() as session:
            service.enter_certificate(
                session,
                actor=current_actor(),
                scheme=forms.text(typed, "scheme"),
                kind=forms.text(typed, "kind"),
                number=forms.text(typed, "number"),
                issuer=forms.text(typed, "issuer"),
                product_scope=forms.text(typed, "product_scope").split(","),
                valid_from=forms.day(typed, "valid_from"),
                valid_to=forms.day(typed, "valid_to"),
                producer_id=forms.uuid(typed, "producer_id"),
                now=now(),
            )
    except DomainError as error:
        return _certificates(forms.field_errors(error))
    flash(_("Entered. It counts once somebody has compared it with the paper."), "good")
    return redirect(url_for("console_people.certificates"), 303)


@blueprint.post("/certificates/<uuid:certificate_id>/status")
@access("staff")
def certificate_status(certificate_id: UUID) -> ResponseReturnValue:
    """Make a certificate active, suspend or withdraw it."""
    status = forms.text(request.form, "status")
    with unit_of_work() as session:
        service.set_certificate_status(
            session,
            actor=current_actor(),
            certificate_id=certificate_id,
            status=status,
            reason=forms.text(request.form, "reason"),
            now=now(),
        )
    flash(_("The certificate is changed."), "good")
    return redirect(url_for("console_people.certificates"), 303)


def _certificates(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        holders = [(each.id, each.name) for each in queries.producers_of(session, coop_id=current_coop())]
    facts = {"holders": holders, "form": request.form if errors else {}, "errors": errors or {}}
    return lists.answered(lists.show(CERTIFICATES, "console/certificates.html", **facts), errors or {})


@blueprint.get("/keys")
@access("staff")
def keys() -> ResponseReturnValue:
    """List the keys that work for the co-op, whoever made them."""
    return lists.show(KEYS, "console/keys.html")


@blueprint.post("/keys/<uuid:key_id>/revoke")
@access("approver")
def revoke_key(key_id: UUID) -> ResponseReturnValue:
    """End a key of the co-op at once."""
    with unit_of_work() as session:
        accounts_service.revoke_api_key(session, actor=current_actor(), key_id=key_id, now=now())
    flash(_("The key is revoked; it opens nothing any more."), "good")
    return redirect(url_for("console_people.keys"), 303)
