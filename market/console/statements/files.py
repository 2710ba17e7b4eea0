"""Files of a bank: taken, shown with what was found in them, imported or laid aside."""

import io
from typing import Any
from uuid import UUID

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.console.statements.base import blueprint
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.kernel.money import EXPONENTS, Money
from market.reports.queries import desks
from market.statements import queries, service
from market.statements.errors import FileTooLarge, NoStatement
from market.statements.rules.readers.source import MAX_BYTES
from market.statements.rules.values import amount_text

LARGE = 2 * 1024 * 1024
"""Larger files are read by a worker, while the page shows how far it is and can be left."""


@blueprint.post("/<uuid:account_id>/files")
@access("staff", largest=MAX_BYTES)
def upload(account_id: UUID) -> ResponseReturnValue:
    """Take a file: recognise it by its content, read it completely, import it; a large one is read by a worker."""
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(_("Please choose a file: a statement from your bank."), "error")
        return redirect(url_for("console_statements.desk", account_id=account_id), 303)
    who: dict[str, Any] = {"name": given.filename, "actor": current_actor(), "now": now()}
    size = given.stream.seek(0, io.SEEK_END)
    given.stream.seek(0)
    try:
        if size > LARGE:
            file_id = service.receive_file(unit_of_work, money_account_id=account_id, stream=given.stream, **who)
        else:
            file_id = service.take_file(unit_of_work, money_account_id=account_id, stream=given.stream, **who).file_id
    except (FileTooLarge, NoStatement) as refusal:
        flash(told(refusal.detail), "error")
        return redirect(url_for("console_statements.desk", account_id=account_id), 303)
    return redirect(url_for("console_statements.file", file_id=file_id), 303)


@blueprint.get("/files/<uuid:file_id>")
@access("staff")
def file(file_id: UUID) -> ResponseReturnValue:
    """Show what became of a file and what was found in it."""
    with unit_of_work() as session:
        row = queries.file(session, file_id)
        account = queries.account(session, row.account_id)
        others = queries.same_file(session, file_id)
        history = desks.history(session, "statement_file", file_id)
    page = {"file": row, "account": account, "others": others, "history": history}
    return render_template("console/statements/file.html", amount=_amount, **page)


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
