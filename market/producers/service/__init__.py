"""Commands on co-ops, members, accounts to pay to, and certificates; one file per use case."""

from market.producers.service.certificates import enter_certificate, set_certificate_status
from market.producers.service.coops import CoopTerms, create_coop, update_coop
from market.producers.service.follow import follow, note_told
from market.producers.service.identity import enter_identity
from market.producers.service.members import add_producer, end_membership, link_account, update_producer
from market.producers.service.payees import (
    agree_name,
    confirm_payee_account,
    enter_payee_account,
    note_known_name,
    withdraw_payee_account,
)
from market.producers.service.texts import set_coop_texts, set_producer_texts, write_texts

__all__ = [
    "CoopTerms",
    "add_producer",
    "agree_name",
    "confirm_payee_account",
    "create_coop",
    "end_membership",
    "enter_certificate",
    "enter_identity",
    "enter_payee_account",
    "follow",
    "link_account",
    "note_known_name",
    "note_told",
    "set_certificate_status",
    "set_coop_texts",
    "set_producer_texts",
    "update_coop",
    "update_producer",
    "withdraw_payee_account",
    "write_texts",
]
