"""Reading forms: typed text becomes values, and what is wrong stands beside its field."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _

from market.http.i18n import language, told
from market.kernel import languages, numbers
from market.kernel.errors import DomainError, Invalid
from market.kernel.money import Money
from market.kernel.words import N_, say


class BadField(Invalid):
    """What was typed is not of the kind that the field holds."""

    code = "forms.bad_field"


def field_errors(error: DomainError) -> dict[str, str]:
    """Return a refusal as the errors of a form, under the field it points at, else under `form`.

    Raises it again when it is not about what was typed: a missing thing stays missing.
    """
    if error.kind not in ("invalid", "conflict"):
        raise error
    return {(error.pointer or "/form").strip("/").replace("/", "-"): told(error.detail)}


def text(form: Mapping[str, str], name: str) -> str:
    """Return what was typed, without spaces around it; empty when nothing was."""
    return form.get(name, "").strip()


def day(form: Mapping[str, str], name: str) -> date:
    """Return a calendar day, typed or picked as 2026-11-25. Raises BadField."""
    try:
        return date.fromisoformat(text(form, name))
    except ValueError:
        raise BadField("Write the day as year-month-day, such as 2026-11-25.", pointer=f"/{name}") from None


def number(form: Mapping[str, str], name: str, *, default: str = "0", grouped: bool = True) -> Decimal:
    """Return a number as people write it; degrees have no thousands, so they are not `grouped`. Raises BadField."""
    try:
        value = read_number(text(form, name) or default, grouped=grouped)
    except ValueError as refusal:
        raise BadField(no_number(refusal, N_("Write a number, such as 12.5.")), pointer=f"/{name}") from refusal
    if abs(value) >= Decimal(10) ** 12:
        raise BadField("Write a number, such as 12.5.", pointer=f"/{name}")
    return value


def whole(form: Mapping[str, str], name: str, *, default: str = "0") -> int:
    """Return a whole number as people write it. Raises BadField, also for a part of one: nobody's 12.7 days become 12."""
    value = number(form, name, default=default)
    if value != int(value):
        raise BadField("Please enter a whole number.", pointer=f"/{name}")
    return int(value)


def read_number(typed: str, *, grouped: bool = True) -> Decimal:
    """Return a number as people write it, read with the marks of the page's language. Raises numbers.Unclear, ValueError."""
    return numbers.written(typed, languages.grouping(language()) if grouped else "")


def no_number(refusal: ValueError | None, otherwise: str) -> str:
    """Return in words why something typed may be two numbers, `otherwise` when it is none: each field says that in its own."""
    if not isinstance(refusal, numbers.Unclear):
        return otherwise
    return say(
        "One point or comma before three digits may mean thousands or decimals. Write %(whole)s or %(decimals)s.",
        whole=refusal.plain, decimals=refusal.decimals,
    )  # fmt: skip


def quantities(form: Mapping[str, str], prefix: str) -> tuple[dict[UUID, Decimal], dict[str, str]]:
    """Return the numbers in the fields `prefix` + id, by id, and what is wrong with others, by field; empty ones are left out."""
    found: dict[UUID, Decimal] = {}
    errors: dict[str, str] = {}
    for name, typed in form.items():
        if name.startswith(prefix) and typed.strip():
            try:
                found[UUID(name.removeprefix(prefix))] = number(form, name)
            except BadField as refusal:
                unclear = isinstance(refusal.__cause__, numbers.Unclear)
                errors[name] = told(refusal.detail) if unclear else _("Please enter the quantity as a number.")
            except ValueError:
                errors[name] = _("Please enter the quantity as a number.")
    return found, errors


def amount(form: Mapping[str, str], name: str, currency: str) -> Money:
    """Return an amount as people write it in the currency; zero when nothing was typed. Raises BadField."""
    try:
        money = Money.written(text(form, name) or "0", currency)
    except ValueError as refusal:
        raise BadField(no_amount(refusal), pointer=f"/{name}") from refusal
    if money.minor < 0:
        raise BadField(no_amount(), pointer=f"/{name}")
    return money


def no_amount(refusal: ValueError | None = None) -> str:
    """Return in words why something typed is no amount."""
    return no_number(refusal, N_("Please enter an amount, such as 1250.00 or 1250,00."))


def uuid(form: Mapping[str, str], name: str) -> UUID | None:
    """Return the id that was chosen, None for none. Raises BadField."""
    chosen = text(form, name)
    if not chosen:
        return None
    try:
        return UUID(chosen)
    except ValueError:
        raise BadField("Choose one from the list.", pointer=f"/{name}") from None
