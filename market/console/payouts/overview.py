"""What is owed, what waits too long, the form for a run with its preview, and the runs."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.acting import carry_out
from market.console.lists import Column, Desk, Filter
from market.console.payouts.base import LARGEST, SHOWN, blueprint, names_of, skipped_file
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel import direct
from market.kernel.money import Money
from market.payables import queries as payables
from market.payouts import queries, service
from market.producers import queries as producers
from market.reports.queries import desks


@blueprint.get("/payouts")
@access("staff")
def overview() -> ResponseReturnValue:
    """Show what is owed, what waits too long, the form for a run with its preview, and the runs."""
    return _overview({}, {})


@blueprint.get("/payouts/left-out")
@access("staff")
def would_leave_out() -> ResponseReturnValue:
    """Give all whom a run of everything due by a day would leave out, as a file."""
    with unit_of_work() as session:
        due_by = Entry(request.args).day("due_by", required=False) or today(producers.coop(session, current_coop()).time_zone)
        skipped = service.preview_run(session, coop_id=current_coop(), due_by=due_by).skipped
        names = names_of(session, [row.payee_id for row in skipped])
    return skipped_file("left-out", skipped, names)


def _overview(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    entry = Entry(request.args)
    due_by = entry.day("due_by", required=False)
    with unit_of_work() as session:
        direct.plan_each(session)
        coop = producers.coop(session, current_coop())
        due = payables.totals_by_payee(session, coop.id)
        page = queries.runs(session, coop_id=coop.id, cursor=request.args.get("cursor"))
        stages = queries.stages(session, page.items, coop_id=coop.id)
        stops = queries.stops(session, coop_id=coop.id)
        alarms = queries.alarms(session, now=now(), coop_id=coop.id)
        plan = service.preview_run(session, coop_id=coop.id, due_by=due_by) if due_by else None
        left_out = plan.skipped[:SHOWN] if plan else []
        names = names_of(session, [row.payee_id for row in due[:LARGEST]], [row.payee_id for row in left_out])
    day = today(coop.time_zone)
    # The day that is offered is the first on which something can be paid: today's preview may well be empty.
    first = max([day, min((row.due_on for row in due if row.open.minor > 0), default=day)])
    facts = {
        "owed": due[:LARGEST],
        "more": max(len(due) - LARGEST, 0),
        "totals": _sums(due),
        "names": names,
        "alarms": alarms,
        "stops": stops,
    }
    answer = render_template(
        "console/payouts/overview.html",
        page=page,
        stages=stages,
        preview=_preview(plan),
        due_by=due_by or first,
        today=day,
        form=form,
        errors=errors or entry.errors,
        **facts,
    )
    return answer, 422 if errors else 200


def _owed_pane(session: Session, payee_id: UUID) -> dict[str, Any]:
    row = producers.member(session, coop_id=current_coop(), producer_id=payee_id)
    live = [each for each in payables.payables_of(session, payee_id) if each.state in payables.LIVE]
    return {"row": row, "live": live, "history": desks.history(session, "producer", payee_id)}


OWED = Desk(
    name="owed",
    title=_l("What is owed"),
    endpoint="console_payouts.owed",
    source=desks.owed,
    columns=(
        Column("payee", _l("Payee"), "link"),
        Column("due_on", _l("Earliest due"), "day"),
        Column("count", _l("Amounts"), "number"),
        Column("open_minor", _l("Open"), "money"),
        Column("way_minor", _l("On its way"), "money"),
        Column("state", _l("State"), "state", words.OWED),
    ),
    filters=(
        Filter("q", _l("Payee")),
        Filter("state", _l("State"), "choice", words.options(words.OWED)),
        Filter("currency", _l("Currency")),
        Filter("amount", _l("Open"), "amount"),
        Filter("from", _l("Due from"), "day"),
        Filter("to", _l("Due to"), "day"),
    ),
    sortings=(("largest", _l("largest amount first")), ("oldest", _l("first due first"))),
    pane=_owed_pane,
    empty=_l("Amounts appear here when buyers confirm what they received."),
)


@blueprint.get("/payouts/owed")
@access("staff")
def owed() -> ResponseReturnValue:
    """List what each member is owed and is not paid yet."""
    return lists.show(OWED, "console/payouts/owed.html")


@blueprint.post("/payouts")
@access("preparer")
def plan() -> ResponseReturnValue:
    """Prepare a run of everything due by a day."""
    entry = Entry(request.form)
    due_by = entry.day("due_by")

    def command(session: Session) -> tuple[str, str]:
        assert due_by is not None
        run = service.plan_run(session, actor=current_actor(), coop_id=current_coop(), due_by=due_by, now=now())
        return _("Run %(number)s is prepared. Another person has to approve it.", number=run.number), url_for(
            "console_payouts.run", run_id=run.id
        )

    return carry_out(entry, command, again=lambda: _overview(dict(request.form), entry.errors), otherwise="due_by")


@blueprint.post("/payouts/stops/lift")
@access("approver")
def lift() -> ResponseReturnValue:
    """Take up paying again, with what was compared."""
    entry = Entry(request.form)
    why = entry.text("why")

    def command(session: Session) -> tuple[str, str]:
        service.lift(session, actor=current_actor(), coop_id=current_coop(), why=why, now=now())
        return _("Payouts go out again."), url_for("console_payouts.overview")

    return carry_out(entry, command, again=lambda: _overview(dict(request.form), entry.errors), otherwise="why")


def _sums(owed: list[payables.OwedTotal]) -> list[dict[str, Any]]:
    sums: dict[str, list[int]] = {}
    for row in owed:
        line = sums.setdefault(row.open.currency, [0, 0])
        line[0] += row.open.minor
        line[1] += row.on_its_way.minor
    return [
        {"currency": currency, "open": Money(one, currency), "on_its_way": Money(way, currency)}
        for currency, (one, way) in sorted(sums.items())
    ]


def _preview(plan: service.Preview | None) -> dict[str, Any] | None:
    return None if plan is None else {"totals": plan.totals, "skipped": plan.skipped[:SHOWN], "left_out": len(plan.skipped)}
