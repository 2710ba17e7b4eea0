"""Letters in every language: the same kinds, whole, escaped, and no way to smuggle a header."""

import pytest

from market.kernel.languages import LANGUAGES, PSEUDO
from market.notifications import letters, rules
from market.notifications.rules import retry_after

FACTS = {
    "name": "Ana <script>",
    "number": "1001-1",
    "total": {"money": [1250, "EUR"]},
    "refunded": {"money": [1250, "EUR"]},
    "goods": {"money": [1250, "MGA"]},
    "amount": {"money": [12, "KWD"]},
    "until": {"instant": "2026-11-25T12:00:00+00:00"},
    "release_on": {"day": "2026-12-09"},
    "holder": "Coop",
    "iban": "DE89",
    "reference": "RF18",
    "address": "Calle 1",
    "producer": "María & Söhne",
    "old": "Rosemary honey",
    "coop": "Alto Mayo",
    "lot": "Harvest of May",
    "coops": "Alto Mayo, Taller <Luna>",
    "found_in": "statement.xml",
    "evidence": "RF18",
    "tracking": "",
    "charged": {"money": [900, "EUR"]},
    "less": {"money": [350, "EUR"]},
    "account": "x",
    "reason": "AC04",
    "appeal": "Ask the office.",
    "file": "orders.csv",
    "rows_written": 12,
    "count": 12,
    "since": {"instant": "2026-11-25T12:00:00+00:00"},
    "by_hand": True,
    "bank_says": {"said": "account closed"},
    "receipt": "Signed by somebody else.",
    "account_wrong": True,
    "account_asked": True,
    "rows": [["Coffee: Goods", {"money": [1250, "EUR"]}]],
}
KINDS = sorted(set(letters.texts()) - {"frame"})


@pytest.mark.parametrize("language", [*LANGUAGES, PSEUDO])
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_whole_and_escaped(kind, language):
    letter = letters.write(kind, language, FACTS, link="https://market.example/x?a=1&b=2")
    assert "\n" not in letter.subject
    assert "%(" not in letter.text + letter.html
    assert ('dir="rtl"' in letter.html) == (language == "ar")
    assert "<script>" not in letter.html
    assert f'lang="{language}"' in letter.html
    assert ("action" in letters.texts()[kind]) == ("market.example/x" in letter.text)


def test_a_value_cannot_add_a_header():
    letter = letters.write("order_cancelled", "en", FACTS | {"number": "1\r\nBcc: everybody@example.org"})
    assert letter.subject == "Order 1 Bcc: everybody@example.org was cancelled"


@pytest.mark.parametrize(("language", "shown"), [("en", "€12.50"), ("es", "12,50\xa0€"), ("fr", "12,50\xa0€")])
def test_money_is_written_as_the_language_writes_it(language, shown):
    assert shown in letters.write("receipt", language, FACTS).text


@pytest.mark.parametrize(
    ("quantity", "language", "shown"),
    [("2", "en", "2 pieces"), ("1", "en", "1 piece"), ("2", "es", "2 piezas"), ("1", "es", "1 pieza"), ("1.5", "fr", "1,5 lb")],
)
def test_a_quantity_is_written_as_the_language_writes_it(quantity, language, shown):
    code = "lb" if "lb" in shown else "piece"
    facts = FACTS | {"rows": [["Basket", {"quantity": [quantity, code]}]], "goods": {"quantity": [quantity, code, "Basket"]}}
    assert f"Basket: {shown}" in letters.write("packing_changed", language, facts).text
    assert f"{shown} Basket" in letters.write("order_substitute", language, facts).text


def test_a_part_of_a_price_is_told_in_the_language_also_where_it_is_short():
    facts = FACTS | {"rows": [[{"part": ["Basket", "Tax (7.5 %)"]}, {"money": [490, "EUR"]}]]}
    assert "Basket: Impuesto (7,5 %)" in letters.write("receipt", "es", facts).text


def test_tries_end():
    waits = [retry_after(attempts) for attempts in range(1, rules.TRIES + 1)]
    assert waits[-1] is None
    assert waits[:-1] == sorted(waits[:-1])


def test_every_topic_of_a_kind_exists():
    assert set(rules.TOPIC_OF) <= set(KINDS)
    assert set(rules.TOPIC_OF.values()) == set(rules.TOPICS)
