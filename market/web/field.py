"""A field officer's round: staff do on a phone what members without one would do; the audit says who did it for whom."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.http import login
from market.http.auth import access, current_actor, current_coop
from market.http.db import unit_of_work
from market.producers import queries

blueprint = Blueprint("field", __name__, url_prefix="/field")


@blueprint.get("")
@access("staff")
def members() -> ResponseReturnValue:
    """List the members to work for; `?q=` finds one by name or number."""
    words = request.args.get("q", "").strip()[:80]
    with unit_of_work() as session:
        found = queries.find_members(session, coop_id=current_coop(), words=words)
    return render_template("producer/field.html", members=found, words=words)


@blueprint.post("/<uuid:producer_id>")
@access("staff")
def begin(producer_id: UUID) -> ResponseReturnValue:
    """Do the work of a member from here on."""
    with unit_of_work() as session:
        login.stand_in(session, actor=current_actor(), producer_id=producer_id)
    return redirect(url_for("producer_home.index"), 303)


@blueprint.post("/end")
@access("producer")
def end() -> ResponseReturnValue:
    """Be oneself again; a producer who stands in for nobody stays on their own pages."""
    actor = current_actor()
    if actor.on_behalf_of is None:
        return redirect(url_for("producer_home.index"), 303)
    login.stand_down()
    flash(_("You no longer work for %(name)s.", name=actor.on_behalf_name), "good")
    return redirect(url_for("field.members"), 303)
