"""The co-op's own account at the card processor, for its share of what was paid by card: opened, confirmed, transferred to."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import acting, lists, words
from market.console.earning_lists import DAYS, LARGEST, NEWEST
from market.console.lists import Column, Desk, Filter
from market.http import links, recipients
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.producers import queries as producers
from market.reports.queries import desks
from market.treasury import service
from market.treasury import share_queries as queries

blueprint = Blueprint("console_own_account", __name__, url_prefix="/console/processor/account")


SHARES = Desk(
    name="coop_shares",
    title=_l("Transfers of the co-op's share"),
    endpoint="console_own_account.all_shares",
    source=desks.shares,
    columns=(
        Column("proposed_at", _l("Proposed"), "instant"),
        Column("number", _l("Number"), "link", make=lambda row: str(row.id)[-8:]),
        Column("amount_minor", _l("Amount"), "money"),
        Column("decided_at", _l("Decided"), "instant"),
        Column("answer", _l("Answer of the card company"), make=lambda row: told(row.answer) if row.answer else ""),
        Column("state", _l("State"), "state", words.SHARES),
    ),
    filters=(
        Filter("state", _l("State"), "choice", words.options(words.SHARES)),
        Filter("amount", _l("Amount"), "amount"),
        *DAYS,
    ),
    sortings=(NEWEST, LARGEST),
    kind="coop_share",
    empty=_l("Nothing was transferred yet."),
)
SHOWN = 10


@blueprint.get("/shares")
@access("staff")
def all_shares() -> ResponseReturnValue:
    """List the transfers of the co-op's share, newest first."""
    return lists.show(SHARES)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show how far the account is, the co-op's free share, and what was transferred."""
    return _page({}, {})


@blueprint.post("")
@access("preparer")
def begin() -> ResponseReturnValue:
    """Open the account, once; another person confirms that it is the co-op's."""
    port = recipients.port()
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        known = queries.recipient(session, coop.id)
        account_id = current_actor().account_id
        email = people.person(session, account_id).email if account_id else ""
    if known is None and port is not None:
        made = recipients.answer(
            lambda: port.open(key=f"recipient-{coop.id}", name=coop.name, email=email, country=coop.country, about=str(coop.id))
        )
        with unit_of_work() as session:
            service.propose_recipient(session, actor=current_actor(), coop_id=coop.id, account=made.account, now=now())
    return redirect(url_for("console_own_account.index"), 303)


@blueprint.get("/details")
@access("preparer")
def details() -> ResponseReturnValue:
    """Lead to the processor's page that asks for what is missing."""
    port = recipients.port()
    with unit_of_work() as session:
        known = queries.recipient(session, current_coop())
    if known is None or port is None:
        return redirect(url_for("console_own_account.index"), 303)
    back, again = (links.public(url_for(f"console_own_account.{name}")) for name in ("index", "details"))
    return redirect(recipients.answer(lambda: port.page(known.account, back=back, again=again)), 303)


@blueprint.post("/<uuid:recipient_id>")
@access("approver")
def decide(recipient_id: UUID) -> ResponseReturnValue:
    """Confirm that the account is the co-op's, or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_recipient(
            session, actor=current_actor(), recipient_id=recipient_id, agreed=agreed, now=now()
        ),
        _("Confirmed. The co-op's share can be sent there.") if agreed else _("Declined."),
        url_for("console_own_account.index"),
    )


@blueprint.post("/shares")
@access("preparer")
def propose() -> ResponseReturnValue:
    """Propose to transfer part of the co-op's share."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    money = entry.amount("amount", coop.currency)

    def run(session: Session) -> tuple[str, str]:
        assert money is not None
        service.propose_share(session, actor=current_actor(), coop_id=coop.id, money=money, now=now())
        return _("Proposed. Another person approves it."), url_for("console_own_account.index")

    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors), otherwise="amount")


@blueprint.post("/shares/<uuid:share_id>")
@access("approver")
def decide_share(share_id: UUID) -> ResponseReturnValue:
    """Approve a transfer or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_share(session, actor=current_actor(), share_id=share_id, agreed=agreed, now=now()),
        _("Approved. It is sent within the minute.") if agreed else _("Declined."),
        url_for("console_own_account.index"),
    )


def _page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    port = recipients.port()
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        known, sent = queries.recipient(session, coop.id), queries.shares(session, coop.id, limit=SHOWN)
        free = queries.free_share(session, coop.id, coop.currency)
    seen = recipients.answer(lambda: port.look(known.account)) if known is not None and port is not None else None
    page = render_template(
        "console/statements/own_account.html", coop=coop, known=known, seen=seen, sent=sent, free=free, offered=port is not None,
        states=words.SHARES,
        form=form, errors=errors, actor=current_actor(),
    )  # fmt: skip
    return page, 422 if errors else 200
