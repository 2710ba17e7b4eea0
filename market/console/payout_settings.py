"""Staff page of how the co-op pays out: rhythm of its runs, least amount, form of its bank files."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.payouts import queries, service
from market.payouts.rules.schedule import FORMATS, PURPOSES, PayoutSettings, Rhythm, next_day
from market.producers import queries as producers

blueprint = Blueprint("console_payout_settings", __name__, url_prefix="/console/payouts/settings")
RHYTHMS = (
    (Rhythm.ON_DEMAND.value, _l("When somebody prepares one")),
    (Rhythm.WEEKLY.value, _l("Every week")),
    (Rhythm.MONTHLY.value, _l("Every month")),
)
WEEKDAYS = tuple(
    (str(n), name)
    for n, name in enumerate(
        (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))
    )
)
PURPOSE_WORDS = {
    "": _l("none"),
    "AGRT": _l("AGRT, agricultural payment"),
    "SUPP": _l("SUPP, supplier payment"),
    "GDDS": _l("GDDS, purchase of goods"),
    "SALA": _l("SALA, wages"),
    "COMM": _l("COMM, commission"),
    "OTHR": _l("OTHR, other"),
}


@blueprint.get("")
@access("staff")
def show() -> ResponseReturnValue:
    """Show how the co-op pays out."""
    with unit_of_work() as session:
        kept = queries.settings_of(session, current_coop())
        currency = producers.coop(session, current_coop()).currency
    form = {name: getattr(kept, name) for name in PayoutSettings.__slots__}
    form["minimum"] = Money(kept.minimum_minor, currency).decimal if kept.minimum_minor else ""
    form["batch_booking"] = "yes" if kept.batch_booking else ""
    return _page(form, {})


def _page(form: dict[str, object], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        kept = queries.settings_of(session, coop.id)
    page = render_template(
        "console/payouts/settings.html",
        form=form,
        errors=errors,
        coop=coop,
        next_day=next_day(kept, today(coop.time_zone)),
        rhythms=RHYTHMS,
        weekdays=WEEKDAYS,
        purposes=[(code, PURPOSE_WORDS[code]) for code in PURPOSES],
        formats=[(name, name) for name in FORMATS],
    )
    return page, 422 if errors else 200


@blueprint.post("")
@access("approver")
def save() -> ResponseReturnValue:
    """Keep how the co-op pays out."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = producers.coop(session, current_coop()).currency
    least = entry.amount("minimum", currency, required=False, zero=True)
    numbers = {name: entry.whole(name) for name in ("weekday", "day_of_month", "cheque_stale_days")}
    if not entry.errors:
        wanted = PayoutSettings(
            rhythm=request.form.get("rhythm", ""),
            minimum_minor=least.minor if least else 0,
            file_format=request.form.get("file_format", ""),
            batch_booking=request.form.get("batch_booking") == "yes",
            purpose=request.form.get("purpose", ""),
            **numbers,
        )
        try:
            with unit_of_work() as session:
                service.save_settings(session, actor=current_actor(), coop_id=current_coop(), wanted=wanted, now=now())
            flash(_("Saved. The next run follows it; runs that exist stay as they are."), "success")
            return redirect(url_for("console_payout_settings.show"), 303)
        except DomainError as refusal:
            entry.refused(refusal, otherwise="rhythm")
    return _page(dict(request.form), entry.errors)
