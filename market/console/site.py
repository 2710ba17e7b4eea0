"""The administrator's switch: the whole site read-only, with the words that everybody reads meanwhile."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.desks import queries, service
from market.http import forms, readonly
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.kernel.errors import DomainError

blueprint = Blueprint("console_site", __name__, url_prefix="/admin/site")


@blueprint.get("")
@access("admin")
def switch() -> ResponseReturnValue:
    """Show whether the site takes writes."""
    return _page({})


@blueprint.post("")
@access("admin")
def set_switch() -> ResponseReturnValue:
    """Stop or take up writing on the whole site."""
    stop = request.form.get("read_only") == "yes"
    try:
        with unit_of_work() as session:
            service.set_read_only(
                session, actor=current_actor(), read_only=stop, reason=request.form.get("reason", ""), now=now()
            )
    except DomainError as refusal:
        return _page(forms.field_errors(refusal))
    readonly.forget()
    flash(_("The site is read-only now.") if stop else _("The site takes changes again."), "good")
    return redirect(url_for("console_site.switch"), 303)


def _page(errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        found = queries.switch(session)
    return render_template("admin/site.html", switch=found, errors=errors, form=request.form), 422 if errors else 200
