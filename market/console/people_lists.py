"""The lists of where members are paid and of the keys of programs, each with its record beside it."""

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import words
from market.console.earning_lists import DAYS, NEWEST
from market.console.lists import Column, Desk, Filter
from market.http.auth import current_actor, current_coop
from market.producers import queries
from market.reports.queries import desks


def _account_pane(session: Session, payee_account_id: UUID) -> dict[str, Any]:
    account = queries.payee_account(session, payee_account_id, actor=current_actor())
    return {
        "account": account,
        "row": queries.member(session, coop_id=current_coop(), producer_id=account.producer_id),
        "history": desks.history(session, "payee_account", payee_account_id),
    }


PAYEE_ACCOUNTS = Desk(
    name="payee_accounts",
    title=_l("Accounts to confirm"),
    endpoint="console_people.payee_accounts",
    source=desks.payee_accounts,
    columns=(
        Column("member", _l("Member"), "link"),
        Column("rail", _l("Way"), words=words.RAILS),
        Column("number", _l("Number")),
        Column("holder", _l("Holder")),
        Column("currency", _l("Currency")),
        Column("entered_at", _l("Entered"), "instant"),
        Column("state", _l("State"), "state", words.PAYEE_ACCOUNTS),
    ),
    filters=(
        Filter("q", _l("Member, holder or number")),
        Filter(
            "state", _l("State"), "choice",
            words.options(words.PAYEE_ACCOUNTS, ("todo", _l("to be seen to")), ("all", _l("all"))),
            default="todo",
        ),
        Filter("rail", _l("Way"), "choice", words.options(words.RAILS)),
        *DAYS,
    ),
    sortings=(NEWEST, ("oldest", _l("oldest first"))),
    pane=_account_pane,
    lead=_l(
        "Compare each account with the paper that the producer signed, digit by digit, or ask them. Whoever entered it cannot"
        " confirm it."
    ),
    empty=_l("New accounts of producers appear here before anything is paid to them."),
)  # fmt: skip

KEYS = Desk(
    name="keys",
    title=_l("Keys of the co-op"),
    endpoint="console_people.keys",
    source=desks.keys,
    columns=(
        Column("label", _l("Label"), "link"),
        Column("person", _l("Made by")),
        Column("email", _l("Address")),
        Column("scopes", _l("Scopes"), make=lambda row: ", ".join(row.scopes)),
        Column("created_at", _l("Made"), "instant"),
        Column("expires_at", _l("Ends"), "instant"),
        Column("last_used_at", _l("Last used"), "instant"),
        Column("state", _l("State"), "state", words.KEYS),
    ),
    filters=(
        Filter("q", _l("Label or person")),
        Filter("state", _l("State"), "choice", words.options(words.KEYS)),
        *DAYS,
    ),
    sortings=(NEWEST, ("ends", _l("first to end"))),
    kind="api_key",
    lead=_l("Programs that may act for somebody in this co-op. Keys are made on a person's account page."),
    empty=_l("Nobody lets a program act in this co-op."),
)
