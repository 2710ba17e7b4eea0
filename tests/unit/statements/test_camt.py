"""The reader of camt.053 against real, broken and hostile files (money.md 7.1, 7.2)."""

from io import BytesIO

import pytest

from market.statements.rules.readers import camt, source
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.shapes import Line, Statement, Unreadable


def document(entries: str, *, head: str = "", balances: str = "", namespace: str = "") -> bytes:
    account = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    stmt = f"<Stmt><Id>S1</Id>{head}{account}{balances}{entries}</Stmt>"
    return f"<Document{namespace}><BkToCstmrStmt><GrpHdr/>{stmt}</BkToCstmrStmt></Document>".encode()


def balance(kind: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-02</Dt></Dt></Bal>"
    )


def entry(amount: str = "10.00", *, day: str = "2026-01-02", status: str = "<Cd>BOOK</Cd>", rest: str = "") -> str:
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt>{rest}</Ntry>"
    )


def read(content: bytes) -> tuple[list[Line], list[Statement]]:
    events = list(read_statements(BytesIO(content)))
    return [e for e in events if isinstance(e, Line)], [e for e in events if isinstance(e, Statement)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "unknown kind"),
        (b"PK\x03\x04", "zip archive"),
        (b"<a/>", "no statement"),
        (b"<Document><BkToCstmrAcctRpt/></Document>", "no statement"),
        (b"<Document><BkToCstmrDbtCdtNtfctn/></Document>", "no statement"),
        (document(entry("12..34")), "entry 1 of statement 1"),
        (document(entry() + entry("1,50")), "entry 2 of statement 1"),
        (document(entry("1e1")), "plain decimal"),
        (document(entry("-1.00")), "plain decimal"),
        (document(entry("١.٠٠")), "plain decimal"),
        (document(entry("1.005")), "more decimals"),
        (document(entry("10000000000000.01")), "10^15"),
        (document(entry().replace("EUR", "ZZZ")), "unknown currency"),
        (document(entry(day="2026-02-30")), "not a day"),
        (document(entry(day="26-02-03")), "not a date"),
        (document(entry().replace("<BookgDt><Dt>2026-01-02</Dt></BookgDt>", "")), "booking day"),
        (document(entry().replace("CRDT", "BOTH")), "CRDT or DBIT"),
        (document(entry())[:-40], "cut off"),
        (document(entry()) + b"EOF", "more after the end"),
        (document(entry()) + document(entry()), "more after the end"),
        (document(entry()).replace(b"2026-01-02", b"2026-01-\x00"), "not well formed"),
        (document(entry(rest="<NtryDtls>" + "<a>" * 70 + "</a>" * 70 + "</NtryDtls>")), "deeper than 64"),
        (document(entry(rest="<X>&unknown;</X>")), "not well formed"),
        (document(entry()).replace(b"<IBAN>DE89370400440532013000</IBAN>", b""), "names no account"),
    ],
)
def test_unreadable_files_are_refused_with_place_and_reason(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words.replace("^", r"\^").replace(".", r"\.")):
        read(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_doctype_is_refused_in_every_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding[:6]}"?><!DOCTYPE Document [<!ENTITY a "b">]>' + document(entry()).decode()
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read(text.encode(encoding))


def test_a_doctype_behind_a_long_comment_is_refused_too() -> None:
    comment = f"<!--{'x' * 100_000}-->".encode()
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read(comment + b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">' + document(entry()))


def test_limits_hold_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt, "MAX_LINES", 2)
    with pytest.raises(Unreadable, match="more than 2 entries"):
        read(document(entry() * 3))
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    with pytest.raises(Unreadable, match="larger than"):
        read(document("<X>" + "y" * 2000 + "</X>"))


def test_an_empty_line_before_the_declaration_is_none_of_the_file() -> None:
    for before in (b"\r\n", b"\xef\xbb\xbf\n \n"):
        lines, _ = read(before + b'<?xml version="1.0" encoding="UTF-8"?>' + document(entry()))
        assert [line.amount_minor for line in lines] == [1000]


@pytest.mark.parametrize(
    "namespace",
    ["", " xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'", " xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.14'"],
)
def test_any_version_and_no_namespace_are_read(namespace: str) -> None:
    lines, statements = read(document(entry(), namespace=namespace))
    assert (lines[0].amount_minor, statements[0].account) == (1000, "DE89370400440532013000")


def test_only_booked_entries_count() -> None:
    lines, statements = read(document(entry() + entry(status="<Cd>PDNG</Cd>") + entry(status="BOOK")))
    assert [line.booked for line in lines] == [True, False, True]
    assert statements[0].booked["EUR"].credits == 2


def test_opening_prefers_opbd_and_interim_balances_are_no_closings() -> None:
    interim = balance("CLBD", "99.00").replace("</CdOrPrtry></Tp>", "</CdOrPrtry><SubTp><Cd>INTM</Cd></SubTp></Tp>")
    balances = balance("PRCD", "1.00") + balance("OPBD", "2.00") + balance("CLBD", "12.00") + interim
    _, (statement,) = read(document(entry(), balances=balances))
    assert statement.opening is not None
    assert statement.opening.minor == 200
    assert statement.closing is not None
    assert statement.closing.minor == 1200
    assert statement.difference_minor == 0
    assert not [f for f in statement.findings if f.hold]


def test_pages_of_one_statement_belong_together() -> None:
    first = document(
        entry(), head="<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>", balances=balance("OPBD", "1.00")
    )
    second = document(entry() * 2, balances=balance("CLBD", "31.00"))
    inner = second[second.index(b"<Stmt>") : second.index(b"</BkToCstmrStmt>")]
    lines, statements = read(first.replace(b"</BkToCstmrStmt>", inner + b"</BkToCstmrStmt>"))
    assert len(statements) == 1
    assert [line.n for line in lines] == [1, 2, 3]
    assert statements[0].difference_minor == 0


def test_a_batch_keeps_its_parts_and_their_references() -> None:
    details = "".join(
        f"<TxDtls><Refs><PmtInfId>RUN-1</PmtInfId><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy='EUR'>{n}.00</Amt>"
        "<CdtDbtInd>DBIT</CdtDbtInd><RltdPties><Cdtr><Pty><Nm>Ana</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>NL91 ABNA 0417"
        " 1643 00</IBAN></Id></CdtrAcct></RltdPties></TxDtls>"
        for n in (4, 6)
    )
    (line,), _ = read(document(entry(rest=f"<NtryDtls>{details}</NtryDtls>").replace("CRDT", "DBIT", 1)))
    assert line.amount_minor == -1000
    assert line.batch_count == 2
    assert [(p.amount_minor, p.refs, p.batch_refs) for p in line.parts] == [
        (-400, ("E4",), ("RUN-1",)),
        (-600, ("E6",), ("RUN-1",)),
    ]
    assert line.parts[0].counterparty_account == "NL91ABNA0417164300"


def test_amounts_in_the_details_never_replace_the_entry() -> None:
    detail = "<NtryDtls><TxDtls><AmtDtls><TxAmt><Amt Ccy='USD'>99.00</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls>"
    (line,), _ = read(document(entry(rest=detail)))
    assert line.amount_minor == 1000
    assert not line.parts


def test_a_return_names_its_reason_and_our_payee() -> None:
    detail = (
        "<RvslInd>true</RvslInd><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties>"
        "<Dbtr><Nm>Co-op</Nm></Dbtr><Cdtr><Nm>Ana</Nm></Cdtr></RltdPties><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
        "</TxDtls></NtryDtls>"
    )
    (line,), _ = read(document(entry(rest=detail)))
    assert line.returned
    assert line.reversal
    assert line.return_reason == "AC04"
    assert line.counterparty_name == "Ana"
    assert line.refs == ()


def test_memory_stays_flat_over_many_entries() -> None:
    import tracemalloc

    content = document(entry(rest="<NtryDtls><TxDtls><RmtInf><Ustrd>text</Ustrd></RmtInf></TxDtls></NtryDtls>") * 5000)
    tracemalloc.start()
    count = sum(isinstance(event, Line) for event in read_statements(BytesIO(content)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 5000
    assert peak < 4_000_000
