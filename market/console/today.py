"""The staff's first page: what waits for somebody, most urgent first."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.producers import queries as producers
from market.producers.rules import CERTIFICATE_WARNING

blueprint = Blueprint("console", __name__, url_prefix="/console")


@blueprint.get("")
@access("staff")
def home() -> ResponseReturnValue:
    """Show what waits today."""
    actor, coop_id = current_actor(), current_coop()
    with unit_of_work() as session:
        coop = producers.coop(session, coop_id)
        on = today(coop.time_zone)
        certificates = producers.certificates(session, coop_id=coop_id)
        page = render_template(
            "console/today.html",
            coop=coop,
            actor=actor,
            now=now(),
            on=on,
            members=producers.member_count(session, coop_id=coop_id),
            payees_waiting=len(producers.payee_accounts(session, actor=actor, waiting=True)),
            certificates_unchecked=sum(1 for certificate in certificates if certificate.status == "entered"),
            certificates_ending=sum(
                1
                for certificate in certificates
                if certificate.status == "active" and on <= certificate.valid_to <= on + CERTIFICATE_WARNING
            ),
        )
    return page
