"""The card processor's account beside the bank's: its lines, its payouts until the bank shows them, and its report to compare."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_coop
from market.http.db import unit_of_work
from market.http.i18n import told
from market.reports.queries import processor
from market.statements.rules.readers.source import MAX_BYTES, Source
from market.statements.rules.readers.stripe import read_stripe
from market.statements.rules.shapes import Unreadable

blueprint = Blueprint("console_processor", __name__, url_prefix="/console/processor")
SHOWN = 200
MOST = 100_000
"""So many lines that differ are kept for the file."""
_CARD, _BACK = _l("card payment"), _l("refund")
_CAME_BACK = _l("refund that failed")
_BOUNCED = _l("payout to the bank that came back")
KINDS: lists.Words = {
    "charge": (_CARD, ""),
    "payment": (_CARD, ""),
    "refund": (_BACK, ""),
    "payment_refund": (_BACK, ""),
    "refund_failure": (_CAME_BACK, "bad"),
    "payment_failure_refund": (_CAME_BACK, "bad"),
    "transfer": (_l("transfer to a payee"), ""),
    "transfer_refund": (_l("transfer taken back"), "warn"),
    "payout": (_l("payout to the bank"), "info"),
    "payout_failure": (_BOUNCED, "bad"),
    "payout_cancel": (_BOUNCED, "bad"),
    "adjustment": (_l("dispute"), "warn"),
}
BANK: lists.Words = {"seen": (_l("on the bank's statement"), "good"), "waits": (_l("on its way to the bank"), "warn")}

LINES = Desk(
    name="processor-lines",
    title=_l("Card processor's account"),
    endpoint="console_processor.index",
    source=processor.lines,
    columns=(
        Column("booked_at", _l("Booked"), "instant"),
        Column("kind", _l("What"), "state", KINDS),
        Column("id", _l("Line")),
        Column("gross_minor", _l("Amount"), "money"),
        Column("fee_minor", _l("Fee"), "money"),
        Column("net_minor", _l("Net"), "money"),
        Column("bank", _l("Bank"), words={code: (words, "") for code, (words, _kind) in BANK.items()}),
    ),
    filters=(
        Filter("q", _l("Id at the processor")),
        Filter("kind", _l("What"), "choice", options(KINDS)),
        Filter("bank", _l("Bank"), "choice", options(BANK)),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    key=str,
    empty=_l("No card payment has reached the account yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the co-op's share of the processor's account, line by line."""
    with unit_of_work() as session:
        standing = processor.standing(session, current_coop())
    return lists.show(LINES, "console/statements/processor.html", standing=standing)


@blueprint.post("/report")
@access("staff", largest=MAX_BYTES)
def report() -> ResponseReturnValue:
    """Compare a balance report of the processor (CSV) with the lines that it gave us; nothing is booked from a file."""
    given = request.files.get("file")
    problem = ""
    found: dict[str, Any] = {"agree": 0, "differ": 0, "rows": []}
    if given is None or not given.filename:
        problem = _("Please choose a file: a balance report as CSV.")
    else:
        try:
            with unit_of_work() as session:
                found = _compared(session, Source(given.stream))
        except Unreadable as error:
            problem = told(str(error))
    if not problem and request.form.get("format") == "csv":
        return _differing(found["rows"])
    found["rows"] = found["rows"][:SHOWN]
    page = render_template("console/statements/processor_report.html", problem=problem, shown=SHOWN, **found)
    return (page, 422) if problem else page


def _differing(rows: Sequence[processor.Compared]) -> ResponseReturnValue:
    """Answer with all lines that differ as a file."""
    headings = [_("Line"), _("What"), _("Currency"), _("The report says"), _("Here")]
    cells = (
        [one.row.id, one.row.kind, one.row.currency, *(money and money.decimal for money in (one.said, one.held))] for one in rows
    )
    return lists.file("differences", "csv", headings, cells)


def _compared(session: Session, source: Source) -> dict[str, Any]:
    agree = differ = 0
    rows: list[processor.Compared] = []
    for one in processor.compare(session, read_stripe(source), coop_id=current_coop()):
        if one.agrees:
            agree += 1
            continue
        differ += 1
        if len(rows) < MOST:
            rows.append(one)
    return {"agree": agree, "differ": differ, "rows": rows}
