"""What belongs to the person at the desk, on every list: saved views, and taking a thing on."""

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.desks import service
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.kernel.errors import DomainError

blueprint = Blueprint("console_desk", __name__, url_prefix="/console/desk")


def back() -> str:
    """Return the page of the desk that a form came from; anything else leads to Today."""
    wanted = urlsplit(request.form.get("back", ""))
    inside = (
        not wanted.scheme and not wanted.netloc and wanted.path.startswith(("/console", "/admin")) and "\\" not in wanted.path
    )
    return wanted.geturl() if inside else url_for("console.home")


@blueprint.post("/views")
@access("staff", "admin")
def save_view() -> ResponseReturnValue:
    """Keep the list as it is shown, under a name."""
    form = request.form
    try:
        with unit_of_work() as session:
            service.save_view(
                session,
                actor=current_actor(),
                coop_id=current_actor().coop_id,
                desk=form.get("desk", "")[:40],
                name=form.get("name", ""),
                query=form.get("query", ""),
                now=now(),
            )
        flash(_("The view is saved."), "good")
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
    return redirect(back(), 303)


@blueprint.post("/views/<uuid:view_id>/forget")
@access("staff", "admin")
def forget_view(view_id: UUID) -> ResponseReturnValue:
    """Throw a view away."""
    with unit_of_work() as session:
        service.forget_view(session, actor=current_actor(), view_id=view_id)
    flash(_("The view is forgotten."), "good")
    return redirect(back(), 303)


@blueprint.post("/take/<kind>/<uuid:subject_id>")
@access("staff")
def take(kind: str, subject_id: UUID) -> ResponseReturnValue:
    """Make a thing that waits one's own."""
    try:
        with unit_of_work() as session:
            service.take(
                session, actor=current_actor(), coop_id=current_coop(), subject_kind=kind[:40], subject_id=subject_id, now=now()
            )
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
    return redirect(back(), 303)


@blueprint.post("/give-up/<kind>/<uuid:subject_id>")
@access("staff")
def give_up(kind: str, subject_id: UUID) -> ResponseReturnValue:
    """Let a thing wait for anybody again."""
    with unit_of_work() as session:
        service.give_up(session, coop_id=current_coop(), subject_kind=kind[:40], subject_id=subject_id)
    return redirect(back(), 303)
