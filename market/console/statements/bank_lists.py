"""Lists around the bank: the files that came, the rules that staff made from lines, and what banks announced."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.earning_lists import DAYS, LARGEST, NEWEST
from market.console.lists import Column, Desk, Filter
from market.console.statements.base import blueprint
from market.http.auth import access, current_coop
from market.http.db import unit_of_work
from market.reports.queries import desks
from market.statements import queries

ACCOUNT = Filter("account", _l("Account"))


def _rule_pane(session: Session, rule_id: UUID) -> dict[str, Any]:
    return {"rule": queries.rule(session, rule_id), "history": desks.history(session, "booking_rule", rule_id)}


RULES = Desk(
    name="rules",
    title=_l("Rules for statement lines"),
    endpoint="console_statements.rules",
    source=desks.rules,
    columns=(
        Column("like", _l("Lines like"), "link"),
        Column("account", _l("Account")),
        Column("account_code", _l("Booked as"), words=words.BOOKED),
        Column("reason", _l("Reason")),
        Column("max_minor", _l("At most"), "money"),
        Column("used", _l("Used"), "number"),
        Column("made_at", _l("Made"), "instant"),
        Column("state", _l("State"), "state", words.RULES),
    ),
    filters=(
        Filter("q", _l("Lines like, or reason")),
        ACCOUNT,
        Filter("state", _l("State"), "choice", words.options(words.RULES)),
        Filter("booked", _l("Booked as"), "choice", words.options(words.BOOKED)),
        *DAYS,
    ),
    sortings=(NEWEST, LARGEST),
    pane=_rule_pane,
    lead=_l(
        "A rule is made from a line: “always book lines like this”. It suggests until people agreed three times; then it books by"
        " itself, and only where nothing else explains the line."
    ),
    empty=_l("Open a line, book it, and choose to book lines like it always so."),
)

FILES = Desk(
    name="statement_files",
    title=_l("Files of the bank"),
    endpoint="console_statements.files",
    source=desks.files,
    columns=(
        Column("uploaded_at", _l("Handed in"), "instant"),
        Column("name", _l("Name"), "link"),
        Column("account", _l("Account")),
        Column("format", _l("Format")),
        Column("new_lines", _l("New lines"), "number"),
        Column("known_lines", _l("Known before"), "number"),
        Column("outcome", _l("Outcome"), "state", words.FILES),
    ),
    filters=(
        Filter("q", _l("Name")),
        ACCOUNT,
        Filter("outcome", _l("Outcome"), "choice", words.options(words.FILES)),
        *DAYS,
    ),
    kind="statement_file",
    empty=_l("Choose an account and import its statement."),
)

ANNOUNCED = Desk(
    name="announced",
    title=_l("Announced by the bank, not booked yet"),
    endpoint="console_statements.announced",
    source=desks.announced,
    columns=(
        Column("expected_on", _l("Day"), "day"),
        Column("who", _l("From or to")),
        Column("text", _l("Text")),
        Column("account", _l("Account")),
        Column("amount_minor", _l("Amount"), "money"),
    ),
    filters=(Filter("q", _l("Name or text")), ACCOUNT, Filter("amount", _l("Amount"), "amount"), *DAYS),
    sortings=(("oldest", _l("oldest first")), NEWEST),
    lead=_l("From reports of the day and notifications. Nothing of it is in the books; the statement will bring it."),
    empty=_l("Every announced line is on a statement."),
)


def of_accounts(desk: Desk) -> Desk:
    """Return a desk with the co-op's bank accounts as the choices of its filter."""
    with unit_of_work() as session:
        accounts = queries.accounts(session, coop_id=current_coop())
    choice = replace(ACCOUNT, kind="choice", options=tuple((str(row.id), row.name) for row in accounts))
    return replace(desk, filters=[choice if each.name == "account" else each for each in desk.filters])


@blueprint.get("/rules")
@access("staff")
def rules() -> ResponseReturnValue:
    """List the rules that staff made from lines."""
    return rules_page({})


def rules_page(errors: dict[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    """Show the rules; `opened` is the one whose form was refused."""
    return lists.answered(lists.show(of_accounts(RULES), "console/statements/rules.html", opened, errors=errors), errors)


@blueprint.get("/files")
@access("staff")
def files() -> ResponseReturnValue:
    """List the files of banks as they came."""
    return lists.show(of_accounts(FILES), "console/statements/files.html")


@blueprint.get("/announced")
@access("staff")
def announced() -> ResponseReturnValue:
    """List what banks announced and no statement has booked yet."""
    return lists.show(of_accounts(ANNOUNCED))
