"""What the pages of prices share."""

from flask import Blueprint
from flask_babel import gettext as _

from market.pricing.rules import UNITS
from market.pricing.rules.references import SCHEME_NAMES

blueprint = Blueprint("console_prices", __name__, url_prefix="/console")
SCHEMES = [(code, name) for code, name in SCHEME_NAMES.items() if code not in ("law", "living_income")]
UNIT_OPTIONS = [(code, code.replace("_", " ")) for code in UNITS]


def consequence() -> str:
    """Return what follows once a price counts."""
    return str(
        _(
            "From its first day on, what counts decides about offers: those below a new floor are checked again at once and leave"
            " the shop. It is changed by a new row only, which two people make."
        )
    )
