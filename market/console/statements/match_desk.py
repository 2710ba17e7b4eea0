"""The page of the matching desk: as it is asked for, and as it answers a decision that was refused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.lists import Column, Desk, Filter
from market.console.statements.line_facts import facts
from market.http.auth import current_coop
from market.http.db import unit_of_work
from market.kernel.errors import Missing
from market.kernel.money import exponent
from market.reports.queries import matching
from market.statements import queries, service


def _pane(session: Session, line_id: UUID) -> Mapping[str, Any]:
    line = queries.line(session, line_id)
    return {"candidates": matching.candidates(session, line), **facts(session, line)}


DESK = Desk(
    name="matching",
    title=_l("Matching"),
    endpoint="console_matching.index",
    source=matching.lines,
    columns=(
        Column("booked_on", _l("Day"), "day"),
        Column("who", _l("From or to"), "link"),
        Column("text", _l("Text")),
        Column("amount_minor", _l("Amount"), "money"),
        Column("rest_minor", _l("Unexplained"), "money"),
        Column("state", _l("State"), "state", words.LINES),
    ),
    filters=(
        Filter("show", _l("Which lines"), "choice", words.SHOWN, default="open"),
        Filter("account", _l("Account")),
        Filter("way", _l("Direction"), "choice", (("in", _l("money in")), ("out", _l("money out")))),
        Filter("q", _l("Name or reference")),
        Filter("amount", _l("Amount"), "amount"),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    sortings=(("oldest", _l("oldest first")), ("largest", _l("largest amount first")), ("newest", _l("newest first"))),
    pane=_pane,
    empty=_l("Every line of this kind is worked off."),
)


def page(form: Mapping[str, str], errors: Mapping[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    """Return the desk; after a refusal with the line `opened`, what was typed in `form`, and what was wrong with it."""
    with unit_of_work() as session:
        accounts = [(row, queries.figures(session, row.id)) for row in queries.accounts(session, coop_id=current_coop())]
        exact = {row.id: service.exact_suggestions(session, account_id=row.id) for row, _figures in accounts}
        last, ruled = _last(session), _rule(session)
    choice = Filter("account", _l("Account"), "choice", tuple((str(row.id), row.name) for row, _figures in accounts))
    desk = replace(DESK, filters=[choice if each.name == "account" else each for each in DESK.filters] + ruled)
    shown = {"accounts": accounts, "exact": exact, "last": last, "digits": exponent, "form": form, "errors": errors}
    ticked = [*request.form.getlist("suggestion"), *request.form.getlist("line")] if errors else []
    return lists.answered(lists.show(desk, "console/matching.html", opened=opened, ticked=ticked, **shown), errors)


def _rule(session: Session) -> list[Filter]:
    """Return the filter by the rule that the address names, with its name; none without one."""
    try:
        rule = queries.rule(session, UUID(request.args.get("rule", "")))
    except (ValueError, Missing):
        return []
    return [Filter("rule", _l("Rule"), "choice", ((str(rule.id), rule.counterparty or " ".join(rule.words)),))]


def _last(session: Session) -> queries.LineView | None:
    """Return the line that was decided last, so that the decision can be taken back at once."""
    try:
        return queries.line(session, UUID(request.args.get("last", "")))
    except (ValueError, Missing):
        return None
