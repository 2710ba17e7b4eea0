"""What the pages of statements share."""

from typing import Any

from flask import Blueprint

from market.console import evidence
from market.console.found import found

blueprint = Blueprint("console_statements", __name__, url_prefix="/console/statements")
blueprint.add_app_template_filter(found, "found")


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"evidence_words": evidence.words}
