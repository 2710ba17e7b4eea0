"""A member's account in the community currency: balance, limit, transfers, and paying another member."""

from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.http import sending
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel.errors import DomainError
from market.treasury import community_queries as queries
from market.treasury import service
from market.treasury.community_models import UNIT
from market.treasury.errors import NotOpen

blueprint = Blueprint("community", __name__, url_prefix="/producer/community")


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """Show my balance, how far it may fall, and my transfers."""
    return _page({})


@blueprint.post("")
@access("producer")
def pay() -> ResponseReturnValue:
    """Pay another member; above the co-op's limit it waits for a second person."""
    entry = Entry(request.form)
    money, words, payee = entry.amount("amount", UNIT), entry.text("words", limit=200), entry.ident("payee")
    if not entry.errors:
        assert money is not None
        assert payee is not None
        try:
            with unit_of_work() as session:
                if (before := sending.answered(session)) is not None:
                    return before
                me = queries.holder_of(session, _me())
                if me is None:
                    raise NotOpen("You have no account in a community currency. Ask your co-op.")
                service.pay(session, actor=current_actor(), payer_id=me.id, payee_id=payee, money=money, words=words, now=now())
                answer = sending.done(session, url_for("community.index"))
            flash(_("Noted. Above the limit it waits for a second person."), "good")
            return answer
        except DomainError as error:
            entry.refused(error, otherwise="amount")
    return _page(entry.errors)


def _page(errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        me = queries.holder_of(session, _me())
        others = [(one.id, one.name) for one in queries.holders(session, current_coop()) if me and one.id != me.id]
        moves = queries.transfers(session, current_coop(), holder_id=me.id) if me else []
    page = render_template("producer/community.html", me=me, others=others, moves=moves, errors=errors, form=request.form)
    return page, 422 if errors else 200


def _me() -> UUID:
    producer_id = current_actor().producer_id
    assert producer_id is not None
    return producer_id
