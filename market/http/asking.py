"""Asking once more before what cannot be taken back."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue


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
        "parts/asked.html", question=question, facts=facts, consequence=consequence, button=button, typed=typed
    )
