"""How the pages of the staff carry a command out: at once, from a form, or after asking once more."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from market.http import sending
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError


def act(command: Callable[[Session], object], message: str, then: str) -> ResponseReturnValue:
    """Run a command that has no form; a refusal becomes a message on the page that follows."""
    try:
        with unit_of_work() as session:
            command(session)
    except DomainError as refusal:
        if refusal.kind == "missing":
            raise
        flash(told(refusal.detail), "bad")
    else:
        flash(message, "good")
    return redirect(then, 303)


def agreed() -> bool:
    """Say whether the button of a yes was pressed, not that of a no."""
    return request.form.get("word") == "yes"


def carry_out(
    entry: Entry,
    command: Callable[[Session], tuple[str, str]],
    *,
    again: Callable[[], ResponseReturnValue],
    otherwise: str,
) -> ResponseReturnValue:
    """Run a command from a form; it returns what to say and the address that follows.

    What is wrong shows the form `again` with what was typed; a refusal that points at no field stands beside `otherwise`.
    A form with a `form_key` counts once: sent again it leads where it led before.
    """
    if not entry.errors:
        try:
            with unit_of_work() as session:
                if (before := sending.answered(session)) is not None:
                    return before
                message, then = command(session)
                answer = sending.done(session, then)
        except DomainError as refusal:
            if refusal.kind == "missing":
                raise
            entry.refused(refusal, otherwise=otherwise)
        else:
            flash(message, "good")
            return answer
    return again()


def asked(
    question: str,
    facts: Iterable[tuple[str, Any]],
    consequence: str,
    button: str,
    *,
    again: Callable[[], ResponseReturnValue],
) -> ResponseReturnValue | None:
    """Return None once the person is sure; before that, the page that says what will happen and cannot be taken back.

    The page sends the same form a second time, with `sure`; `sure=no` shows the form `again` with what was typed.
    """
    sure = request.form.get("sure")
    if sure == "yes":
        return None
    if sure == "no":
        return again()
    typed = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    return render_template(
        "console/asked.html", question=question, facts=facts, consequence=consequence, button=button, typed=typed
    )
