"""Staff pages of statements: bank accounts, files, the queue of lines, and what a person decides about a line."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import evidence
from market.console.desk import back
from market.console.found import found
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError, Missing
from market.kernel.money import EXPONENTS, Money
from market.producers import queries as producers
from market.reports.queries import desks, processor
from market.statements import queries, service
from market.statements.rules.readers.source import MAX_BYTES
from market.statements.rules.values import amount_text

blueprint = Blueprint("console_statements", __name__, url_prefix="/console/statements")
blueprint.add_app_template_filter(found, "found")
PARTS = range(1, 5)
"""The parts that the form of a split has."""

_FIELDS = {"reference", "account_code", "amount", "reason", "question", "undo_reason", "answer"} | {
    f"{name}-{n}" for n in PARTS for name in ("minor", "reference", "account", "reason")
}
LARGE = 2 * 1024 * 1024
"""Larger files are read by a worker, while the page shows how far it is and can be left."""

MANY = 5_000
"""More open lines than this are matched by a worker."""


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"evidence_words": evidence.words}


@blueprint.get("/")
@access("staff")
def accounts() -> ResponseReturnValue:
    """Show the co-op's bank accounts with their running figures."""
    with unit_of_work() as session:
        rows = [(row, queries.figures(session, row.id)) for row in queries.accounts(session, coop_id=current_coop())]
        cards = processor.standing(session, current_coop())
    return render_template("console/statements/accounts.html", rows=rows, cards=cards)


@blueprint.get("/accounts/new")
@access("approver")
def new_account() -> ResponseReturnValue:
    """Show the form for a bank account, filled in with the co-op's own."""
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    form = {"iban": coop.iban or "", "currency": coop.currency, "opened_on": today().isoformat(), "opening": "0.00"}
    return render_template("console/statements/account_new.html", form=form, errors={})


@blueprint.post("/accounts/new")
@access("approver")
def open_account() -> ResponseReturnValue:
    """Register a bank account with what lies on it."""
    entry = Entry(request.form)
    name, iban = entry.text("name", limit=80), entry.text("iban", limit=60)
    wallet = entry.choice("kind", ("bank", "wallet"), default="bank") == "wallet"
    currency = entry.text("currency", limit=3).upper()
    opened_on = entry.day("opened_on")
    opening = entry.amount("opening", currency, required=False, below=True)
    if not entry.errors and opened_on is not None:
        try:
            with unit_of_work() as session:
                account = service.open_account(
                    session, coop_id=current_coop(), name=name, iban=iban, currency=currency, opened_on=opened_on,
                    opening=opening, wallet=wallet, actor=current_actor(), now=now(),
                )  # fmt: skip
            return redirect(url_for("console_statements.desk", account_id=account.id), 303)
        except DomainError as refusal:
            entry.refused(refusal, otherwise="iban")
    return render_template("console/statements/account_new.html", form=request.form, errors=entry.errors), 422


@blueprint.get("/<uuid:account_id>")
@access("staff")
def desk(account_id: UUID) -> ResponseReturnValue:
    """Show the queue: running figures, lines with what may explain them, and the form for the next file."""
    show = request.args.get("show", "open")
    with unit_of_work() as session:
        page = {
            "account": queries.account(session, account_id),
            "figures": queries.figures(session, account_id),
            "page": queries.lines(session, account_id, show=show, cursor=request.args.get("cursor")),
            "files": queries.files(session, account_id, limit=5).items,
        }
    return render_template("console/statements/desk.html", show=show, **page)


@blueprint.post("/<uuid:account_id>/files")
@access("staff")
def upload(account_id: UUID) -> ResponseReturnValue:
    """Take a file: recognise it by its content, read it completely, import it; a large one is read by a worker."""
    request.max_content_length = MAX_BYTES
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(_("Please choose a file: a statement from your bank."), "error")
        return redirect(url_for("console_statements.desk", account_id=account_id), 303)
    who: dict[str, Any] = {"name": given.filename, "actor": current_actor(), "now": now()}
    size = given.stream.seek(0, io.SEEK_END)
    given.stream.seek(0)
    if size > LARGE:
        file_id = service.receive_file(unit_of_work, money_account_id=account_id, stream=given.stream, **who)
    else:
        file_id = service.take_file(unit_of_work, money_account_id=account_id, stream=given.stream, **who).file_id
    return redirect(url_for("console_statements.file", file_id=file_id), 303)


@blueprint.post("/<uuid:account_id>/match")
@access("staff")
def match(account_id: UUID) -> ResponseReturnValue:
    """Run the rules again, after payouts were sent or orders placed."""
    with unit_of_work() as session:
        if queries.figures(session, account_id).open_lines > MANY:
            service.ask_for_matching(session, money_account_id=account_id)
            flash(_("These are many lines: a worker matches them. Look again in a minute."), "info")
        else:
            done = service.run_matching(session, money_account_id=account_id, actor=current_actor(), now=now())
            flash(_("%(n)s lines matched, %(m)s with suggestions.", n=done.matched, m=done.suggested), "success")
    return redirect(url_for("console_statements.desk", account_id=account_id), 303)


@blueprint.get("/files/<uuid:file_id>")
@access("staff")
def file(file_id: UUID) -> ResponseReturnValue:
    """Show what became of a file and what was found in it."""
    with unit_of_work() as session:
        row = queries.file(session, file_id)
        account = queries.account(session, row.account_id)
    return render_template("console/statements/file.html", file=row, account=account, amount=_amount)


def _amount(minor: int | None, currency: str) -> str:
    """Return an amount as the reader writes it; a currency of the past, which no account is kept in, as the file has it."""
    if minor is None:
        return "–"
    if currency in EXPONENTS:
        return str(current_app.jinja_env.filters["money"](Money(minor, currency)))
    return amount_text(minor, currency)


@blueprint.get("/files/<uuid:file_id>/content")
@access("staff")
def content(file_id: UUID) -> ResponseReturnValue:
    """Give the file back as it came, never as something that a browser shows."""
    with unit_of_work() as session:
        body = queries.file_body(session, file_id)
    headers = {"Content-Disposition": f'attachment; filename="statement-{file_id}.bin"'}
    return Response(io.BytesIO(body), content_type="application/octet-stream", headers=headers)


@blueprint.post("/files/<uuid:file_id>/confirm")
@access("staff")
def confirm(file_id: UUID) -> ResponseReturnValue:
    """Import a draft although something does not add up."""
    with unit_of_work() as session:
        account_id = queries.file(session, file_id).account_id
    service.take_draft(unit_of_work, file_id=file_id, money_account_id=account_id, actor=current_actor(), now=now())
    return redirect(url_for("console_statements.file", file_id=file_id), 303)


@blueprint.post("/files/<uuid:file_id>/discard")
@access("staff")
def discard(file_id: UUID) -> ResponseReturnValue:
    """Lay a draft aside."""
    with unit_of_work() as session:
        service.discard_file(session, file_id=file_id, actor=current_actor(), now=now())
    return redirect(url_for("console_statements.file", file_id=file_id), 303)


@blueprint.get("/lines/<uuid:line_id>")
@access("staff")
def line(line_id: UUID) -> ResponseReturnValue:
    """Show a line with its candidates, its matches, and every way to explain it."""
    return _line_page(line_id, {}, {})


def _line_page(line_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.line(session, line_id)
        account = queries.account(session, row.account_id)
        history = desks.history(session, "statement_line", line_id)
        proposer = proposer_of(session, row)
    choices = [code for code, sign in service.BOOKABLE.items() if sign * row.money.minor >= 0]
    facts = {"line": row, "account": account, "choices": choices, "history": history, "proposer": proposer, "me": current_actor()}
    facts["parts"] = PARTS
    page = render_template("console/statements/line.html", form=form, errors=errors, **facts)
    return page, 422 if errors else 200


def proposer_of(session: Session, line: queries.LineView) -> str:
    """Return who proposed a booking of the line, by name."""
    if line.proposal is None:
        return ""
    label = line.proposal.proposed_by
    return people.names_of_staff(session, [label], coop_id=current_coop()).get(label, label)


def decide(line_id: UUID, otherwise: str, act: Callable[[Session], object], said: str | Callable[[], str]) -> ResponseReturnValue:
    """Carry out a decision about a line and go on, or show the line with what was wrong and what was typed.

    The way leads back to where the form says, else to the line. `said` is what is told, or says it once it is done.
    """
    entry = Entry(request.form)
    try:
        with unit_of_work() as session:
            act(session)
    except DomainError as refusal:
        if isinstance(refusal, Missing):
            raise
        entry.refused(refusal, otherwise=otherwise)
        errors = {name if name in _FIELDS else "form": words for name, words in entry.errors.items()}
        return _line_page(line_id, dict(request.form), errors)
    flash(said if isinstance(said, str) else said(), "good")
    return redirect(back() if request.form.get("back") else url_for("console_statements.line", line_id=line_id), 303)


@blueprint.post("/lines/<uuid:line_id>/accept/<uuid:suggestion_id>")
@access("staff")
def accept(line_id: UUID, suggestion_id: UUID) -> ResponseReturnValue:
    """Accept a suggestion."""

    def act(session: Session) -> None:
        service.accept_suggestion(session, suggestion_id=suggestion_id, line_id=line_id, actor=current_actor(), now=now())

    return decide(line_id, "form", act, _("Matched."))


@blueprint.post("/lines/<uuid:line_id>/dismiss/<uuid:suggestion_id>")
@access("staff")
def dismiss(line_id: UUID, suggestion_id: UUID) -> ResponseReturnValue:
    """Reject a suggestion for good."""

    def act(session: Session) -> None:
        service.dismiss_suggestion(session, suggestion_id=suggestion_id, actor=current_actor(), now=now())

    return decide(line_id, "form", act, _("Rejected. It will not be suggested again."))


@blueprint.post("/lines/<uuid:line_id>/reference")
@access("staff")
def reference(line_id: UUID) -> ResponseReturnValue:
    """Match a line by a reference that a person knows."""
    typed = request.form.get("reference", "")

    def act(session: Session) -> None:
        service.match_reference(session, line_id=line_id, reference=typed, actor=current_actor(), now=now())

    return decide(line_id, "reference", act, _("Matched."))


@blueprint.post("/lines/<uuid:line_id>/book")
@access("staff")
def book(line_id: UUID) -> ResponseReturnValue:
    """Book a line, or a part of it, as something with a reason."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.line(session, line_id).money.currency
    amount = entry.amount("amount", currency, required=False)
    if entry.errors:
        return _line_page(line_id, dict(request.form), entry.errors)

    made: list[UUID] = []

    def act(session: Session) -> None:
        match_id = service.book_or_propose(
            session, line_id=line_id, account_code=request.form.get("account_code", ""), reason=request.form.get("reason", ""),
            amount_minor=amount.minor if amount else None, actor=current_actor(), now=now(),
        )  # fmt: skip
        if match_id is None:
            return
        made.append(match_id)
        if request.form.get("always") == "yes":
            service.make_rule(
                session, line_id=line_id, account_code=request.form.get("account_code", ""),
                reason=request.form.get("reason", ""), actor=current_actor(), now=now(),
            )  # fmt: skip

    return decide(line_id, "account_code", act, lambda: str(_("Booked.")) if made else proposed())


def proposed() -> str:
    """Return what is told when a decision takes two persons."""
    return str(_("Proposed. Somebody who approves finds it on their first page and decides."))


@blueprint.post("/proposals/<uuid:proposal_id>")
@access("staff")
def decide_proposal(proposal_id: UUID) -> ResponseReturnValue:
    """Accept or decline a proposed booking; whoever proposed it takes it back."""
    accepted = request.form.get("word") == "yes"
    with unit_of_work() as session:
        line_id = queries.line_of_proposal(session, proposal_id)

    def act(session: Session) -> None:
        service.decide_proposal(
            session, proposal_id=proposal_id, accepted=accepted, answer=request.form.get("answer", ""), actor=current_actor(),
            now=now(),
        )  # fmt: skip

    return decide(line_id, "answer", act, _("Booked.") if accepted else _("Declined. The line waits again."))


@blueprint.post("/lines/<uuid:line_id>/park")
@access("staff")
def park(line_id: UUID) -> ResponseReturnValue:
    """Put a line aside with a question, or take it back with an empty one."""
    question = request.form.get("question", "")

    def act(session: Session) -> None:
        service.park_line(session, line_id=line_id, question=question, actor=current_actor(), now=now())

    return decide(line_id, "question", act, _("Noted."))


@blueprint.post("/lines/<uuid:line_id>/undo/<uuid:match_id>")
@access("staff")
def undo(line_id: UUID, match_id: UUID) -> ResponseReturnValue:
    """Take one match back."""
    reason = request.form.get("undo_reason", "")

    def act(session: Session) -> None:
        service.undo_match(session, match_id=match_id, reason=reason, actor=current_actor(), now=now())

    return decide(line_id, "undo_reason", act, _("Taken back. The line waits again."))


@blueprint.get("/closes")
@access("staff")
def closes() -> ResponseReturnValue:
    """Show the periods that were closed, and the form for the next one."""
    with unit_of_work() as session:
        rows = queries.closes(session, coop_id=current_coop())
    last_day = today().replace(day=1).toordinal() - 1
    return render_template("console/statements/closes.html", rows=rows, ends_on=date.fromordinal(last_day))


@blueprint.get("/closes/new")
@access("staff")
def new_close() -> ResponseReturnValue:
    """Show what keeps a period from being zero, with a field for the explanation of each."""
    return _close_form({}, {})


def _close_form(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    entry = Entry(request.values)
    ends_on = entry.day("ends_on")
    if ends_on is None:
        flash(entry.errors["ends_on"], "error")
        return redirect(url_for("console_statements.closes"), 303)
    with unit_of_work() as session:
        found = service.differences(session, coop_id=current_coop(), ends_on=ends_on)
    page = render_template("console/statements/close_new.html", found=found, ends_on=ends_on, form=form, errors=errors)
    return page, 422 if errors else 200


@blueprint.post("/closes/new")
@access("staff")
def prepare_close() -> ResponseReturnValue:
    """Record the figures and explanations of a period for a second person."""
    entry = Entry(request.form)
    ends_on = entry.day("ends_on")
    if ends_on is None:
        return _close_form(dict(request.form), entry.errors)
    try:
        with unit_of_work() as session:
            close = service.prepare_close(
                session, coop_id=current_coop(), ends_on=ends_on, explanations=request.form, actor=current_actor(), now=now()
            )
    except DomainError as refusal:
        key = str(refusal.facts.get("key", "ends_on"))
        return _close_form(dict(request.form), {key: told(refusal.detail)})
    flash(_("Prepared. A second person closes it."), "success")
    return redirect(url_for("console_statements.close", close_id=close.id), 303)


@blueprint.get("/closes/<uuid:close_id>")
@access("staff")
def close(close_id: UUID) -> ResponseReturnValue:
    """Show the protocol of a close: differences, explanations, trial balance, persons."""
    with unit_of_work() as session:
        row = queries.close(session, close_id)
        names = people.names_of_staff(session, (row.prepared_by, row.closed_by), coop_id=current_coop())
        history = desks.history(session, "period_close", close_id)
    page = {"close": row, "names": names, "history": history, "me": current_actor().label}
    return render_template("console/statements/close.html", **page)


@blueprint.post("/closes/<uuid:close_id>")
@access("approver")
def close_period(close_id: UUID) -> ResponseReturnValue:
    """Close the period as the second person."""
    with unit_of_work() as session:
        service.close_period(session, close_id=close_id, actor=current_actor(), now=now())
    flash(_("The period is closed. Nothing posts into it any more."), "success")
    return redirect(url_for("console_statements.close", close_id=close_id), 303)
