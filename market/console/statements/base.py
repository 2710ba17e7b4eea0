"""What the pages of statements share."""

from typing import Any

from flask import Blueprint

from market.console import evidence
from market.console.found import found, said_whole

blueprint = Blueprint("console_statements", __name__, url_prefix="/console/statements")
blueprint.add_app_template_filter(found, "found")
blueprint.add_app_template_filter(said_whole, "said_whole")


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"evidence_words": evidence.words}
