"""Which mails a person wants; those about their own account and money come in any case."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.http.auth import access, current_actor
from market.http.db import unit_of_work
from market.notifications import rules, service

blueprint = Blueprint("notifications", __name__, url_prefix="/account/mail")


@blueprint.get("")
@access("buyer")
def index() -> ResponseReturnValue:
    """Show the groups of mails with a box each."""
    account_id = current_actor().account_id
    assert account_id is not None
    with unit_of_work() as session:
        wanted = [topic for topic, yes in service.preferences(session, account_id=account_id).items() if yes]
    return render_template("account/mail.html", wanted=wanted)


@blueprint.post("")
@access("buyer")
def save() -> ResponseReturnValue:
    """Keep what was chosen."""
    with unit_of_work() as session:
        for topic in rules.TOPICS:
            service.choose(session, actor=current_actor(), topic=topic, wanted=topic in request.form.getlist("topic"))
    flash(_("Saved."), "good")
    return redirect(url_for("notifications.index"), 303)
