"""What the pages of prices share."""

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.console.lists import Column
from market.pricing.rules import UNITS
from market.pricing.rules.references import SCHEME_NAMES

blueprint = Blueprint("console_prices", __name__, url_prefix="/console")
SCHEMES = [(code, name) for code, name in SCHEME_NAMES.items() if code not in ("law", "living_income")]
UNIT_OPTIONS = [(code, code.replace("_", " ")) for code in UNITS]
OLD_AND_NEW = (
    Column("geo_code", _l("Where")),
    Column("quality", _l("Quality"), aside=True),
    Column("valid_from", _l("In force from"), "day"),
    Column("old_valid_from", _l("In force from, before"), "day", aside=True),
    Column("minimum_price", _l("Minimum"), "number"),
    Column("old_minimum_price", _l("Minimum, before"), "number", aside=True),
    Column("premium", _l("Premium"), "number"),
    Column("old_premium", _l("Premium, before"), "number", aside=True),
    Column("organic_differential", _l("Organic"), "number", aside=True),
    Column("old_organic_differential", _l("Organic, before"), "number", aside=True),
)
"""Columns of a row of a price table beside the one that it takes the place of."""


def consequence() -> str:
    """Return what follows once a price counts."""
    return str(
        _(
            "From its first day on, what counts decides about offers: those below a new floor are checked again at once and leave"
            " the shop. It is changed by a new row only, which two people make."
        )
    )
