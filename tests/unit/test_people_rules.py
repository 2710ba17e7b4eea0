"""What an address, a key, an account to pay to and a certificate may be."""

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from market.accounts import rules as accounts
from market.accounts.errors import BadApiKeyRequest, BadEmail, BadRole
from market.producers import rules as producers
from market.producers.errors import BadPayeeAccount, CertificateStateWrong
from market.producers.rules import PayTo, PostalAddress

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)


def test_an_address_is_compared_in_lower_case():
    assert accounts.checked_email(" Ana@Example.COM ") == "ana@example.com"


def test_an_address_is_one_that_letters_can_be_sent_to():
    assert accounts.checked_email("Ana@CAFÉ.example") == "ana@café.example"
    with pytest.raises(BadEmail, match="plain letters"):
        accounts.checked_email("añá@example.org")


@pytest.mark.parametrize("text", ["ana@", "ana", "ana@buyers", "ana@test", "ana@localhost", "ana@buyers.c", "a b@buyers.org", ""])
def test_an_address_has_a_domain_with_a_dot(text):
    with pytest.raises(BadEmail, match=r"ana@example\.org"):
        accounts.checked_email(text)


@pytest.mark.parametrize(("role", "coop_id"), [("preparer", None), ("admin", UUID(int=1)), ("king", None)])
def test_a_role_is_for_a_coop_exactly_when_it_must_be(role, coop_id):
    with pytest.raises(BadRole):
        accounts.check_role(role, coop_id)


@pytest.mark.parametrize(
    ("label", "scopes", "life"),
    [
        ("", ["orders:read"], DAY),
        ("till", [], DAY),
        ("till", ["all"], DAY),
        ("till", ["orders:read"], 0 * DAY),
        ("till", ["orders:read"], 367 * DAY),
    ],
)
def test_a_key_needs_a_label_known_scopes_and_an_end_within_a_year(label, scopes, life):
    with pytest.raises(BadApiKeyRequest):
        accounts.check_key_request(label, scopes, NOW + life, NOW)


def test_a_key_splits_into_what_it_was_made_of_and_nothing_else_does():
    text = accounts.key_text("abcdefghijkl", "secret")
    assert accounts.split_key(text) == ("abcdefghijkl", "secret")
    assert not any(map(accounts.split_key, ["", "fm_", "fm_short.secret", text.removeprefix("fm_"), "fm_abcdefghijkl."]))
    assert accounts.same_secret("secret", accounts.secret_hash("secret"))
    assert not accounts.same_secret("Secret", accounts.secret_hash("secret"))


def _pay_to(**values):
    details = {"rail": "sepa", "currency": "EUR", "holder": "Almaz", "iban": "DE02 1203 0000 0000 2020 51"}
    return PayTo(**details | values, address=PostalAddress(town="Köln", country="DE"))


def test_only_the_details_of_the_rail_are_kept():
    assert producers.checked_pay_to(_pay_to(stripe_account="acct_1")).stripe_account is None
    assert producers.checked_pay_to(_pay_to()).iban == "DE02120300000000202051"
    assert producers.checked_pay_to(_pay_to(rail="cash", currency="ETB")).iban is None


@pytest.mark.parametrize(
    "wrong", [{"rail": "pigeon"}, {"currency": "EURO"}, {"holder": " "}, {"iban": "DE03120300000000202051"}, {"bic": "NOBIC"}]
)
def test_details_that_cannot_be_paid_to_are_refused(wrong):
    with pytest.raises(BadPayeeAccount):
        producers.checked_pay_to(_pay_to(**wrong))


def test_nothing_leads_out_of_withdrawn():
    assert not producers.CERTIFICATE_STEPS["withdrawn"]
    producers.check_certificate_step("entered", "active")
    with pytest.raises(CertificateStateWrong):
        producers.check_certificate_step("withdrawn", "active")


def test_a_wallet_is_paid_to_by_its_number_in_one_form():
    given = PayTo(
        "momo", "RWF", "Chantal", PostalAddress(country="RW"), iban="DE02120300000000202051", msisdn="+250 (788) 000-123"
    )
    checked = producers.checked_pay_to(given)
    assert (checked.msisdn, checked.iban) == ("+250788000123", None)
    for wrong in (None, "", "0788000123", "+250"):
        with pytest.raises(BadPayeeAccount):
            producers.checked_pay_to(dataclasses.replace(given, msisdn=wrong))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("María", "MARIA Gómez Torres", True),
        ("Gómez, María", "Maria Gomez", True),
        ("", "Anybody", True),
        ("Jean Uwase", "Chantal Uwase", False),
        ("Ann", "Anna", False),
    ],
)
def test_names_are_compared_by_words_without_accents_and_order(one, other, same):
    assert (producers.same_name(one, other), producers.same_name(other, one)) == (same, same)
