"""Accounts of those whom the card processor pays: who asks it, and what is said when it is silent."""

from collections.abc import Callable
from typing import TypeVar

from flask import current_app

from market.payments.errors import ProcessorUnavailable
from market.payments.ports import ProcessorRefused, ProcessorUnsure
from market.producers.ports import Recipients

T = TypeVar("T")


def port() -> Recipients | None:
    """Return who opens such accounts; None where the site has none."""
    found: Recipients | None = current_app.extensions["ports"].recipients
    return found


def answer(call: Callable[[], T]) -> T:
    """Ask the processor between units of work. Raises ProcessorUnavailable when it is silent or refuses."""
    try:
        return call()
    except (ProcessorUnsure, ProcessorRefused) as error:
        raise ProcessorUnavailable("The card company does not answer. Please try again in a few minutes.") from error
