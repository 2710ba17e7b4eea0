"""How the pages of the staff carry a command out: at once, or from a form."""

from collections.abc import Callable

from flask import flash, redirect, request
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
