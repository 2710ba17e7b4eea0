"""Reading what a person typed: typed values, and one sentence per field that cannot be read, nothing lost."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _

from market.http import forms
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.kernel.words import N_


class Entry:
    """A form as it was sent; `errors` maps a field to what is wrong with it, for the form that is shown again."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def text(self, name: str, *, required: bool = True, limit: int = 300) -> str:
        """Return the trimmed text of a field."""
        value = self.form.get(name, "").strip()
        if required and not value:
            self.errors[name] = _("Please fill this in.")
        elif len(value) > limit:
            self.errors[name] = _("This is too long: at most %(limit)s characters.", limit=limit)
        return value

    def decimal(self, name: str, *, required: bool = True, zero: bool = False) -> Decimal | None:
        """Return a number with at most six decimals, as people write it; above zero unless `zero`."""
        value = self.form.get(name, "").strip()
        if not value:
            if required:
                self.errors[name] = _("Please enter a number.")
            return None
        try:
            number = forms.read_number(value)
            if number < 0 or number >= 10**12 or number != round(number, 6):
                raise ValueError(value)
        except ValueError as refusal:
            words = N_("Please enter a number with at most six decimals, such as 3.97.")
            self.errors[name] = told(forms.no_number(refusal, words))
            return None
        if not number and not zero:
            self.errors[name] = _("Please enter a number above zero.")
            return None
        return number

    def whole(self, name: str) -> int:
        """Return a whole number of at most nine digits; 0 beside an error."""
        value = self.form.get(name, "").strip()
        if value.isascii() and value.isdecimal() and len(value) < 10:
            return int(value)
        self.errors[name] = _("Please enter a whole number.")
        return 0

    def amount(self, name: str, currency: str, *, required: bool = True, zero: bool = False, below: bool = False) -> Money | None:
        """Return an amount as people write it in the currency; above zero unless `zero`; `below` allows less than that too."""
        text = self.form.get(name, "").strip()
        if not text:
            if required:
                self.errors[name] = _("Please enter an amount.")
            return None
        try:
            money = Money.written(text, currency)
        except ValueError as refusal:
            self.errors[name] = told(forms.no_amount(refusal))
            return None
        if not below and money.minor < (0 if zero else 1):
            self.errors[name] = _("Please enter an amount above zero.")
            return None
        return money

    def day(self, name: str, *, required: bool = True) -> date | None:
        """Return a day."""
        value = self.form.get(name, "").strip()
        if not value and not required:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.errors[name] = _("Please enter a day, such as 2026-11-25.")
            return None

    def choice(self, name: str, allowed: Collection[str], *, default: str | None = None) -> str:
        """Return one of the allowed values; an absent one is the default where there is one."""
        value = self.form.get(name, "").strip()
        if not value and default is not None:
            return default
        if value not in allowed:
            self.errors[name] = _("Please choose one of the list.")
        return value

    def ident(self, name: str) -> UUID | None:
        """Return the id of what was chosen from a list."""
        try:
            return UUID(self.text(name))
        except ValueError:
            self.errors.setdefault(name, _("Please choose one of the list."))
            return None

    def refused(self, refusal: DomainError, *, otherwise: str) -> None:
        """Put a refusal of the domain beside the field that it points at, or at `otherwise`.

        Where a page has several forms, a field may carry its form's name before its own: `offset_amount` is an `amount`.
        """
        pointed = (refusal.pointer or "").strip("/").split("/")[0]
        own = [name for name in self.form if pointed and name.endswith(f"_{pointed}")]
        self.errors[pointed if pointed in self.form else own[0] if own else otherwise] = told(refusal.detail)
