"""Entries that are read without the parser are what the parser would have made of them, whatever stands between."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.statements.rules.readers import alike
from market.statements.rules.readers.camt import read_camt
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.readers.source import Source
from market.statements.rules.shapes import Unreadable

PLAIN = (
    '<Ntry><Amt Ccy="EUR">{n}.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-02</Dt></BookgDt>'
    "<AcctSvcrRef>R{n}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><RltdPties><Cdtr><Nm>Ana Téllez</Nm>"
    "</Cdtr></RltdPties><RmtInf><Ustrd> one > {n} </Ustrd><Ustrd>two</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
)
PRETTY = """
  <Ntry>
    <Amt Ccy='EUR'>{n}.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><DtTm>2026-01-02T10:00:00</DtTm></BookgDt><ValDt/>
    <NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>
      <TxDtls><Amt Ccy="EUR">1.00</Amt><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>
      <TxDtls><Refs><PmtInfId></PmtInfId></Refs></TxDtls>
    </NtryDtls>
    <AddtlNtryInf>line
 two</AddtlNtryInf>
  </Ntry>
"""
FEE = (
    '<Ntry><Sts><Cd>BOOK</Cd></Sts><Amt Ccy="EUR">2</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-01-03</Dt></BookgDt><BkTxCd>'
    "<Domn><Cd>ACMT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd></Ntry>"
)
ODD = (
    PLAIN.replace("Ana", "Ana &amp; Luis"),
    PLAIN.replace("Ana", "<![CDATA[</Ntry><Ntry>]]>"),
    PLAIN.replace("Ana", "Ana ]]> Luis"),
    PLAIN.replace("two", "t\two\r\nthree"),
    PLAIN.replace("two", "\x01"),
    PLAIN.replace("two", "\ufffe"),
    PLAIN.replace("<Refs>", "text<Refs>"),
    PLAIN.replace('Ccy="EUR"', 'Ccy="E>R"'),
    PLAIN.replace('Ccy="EUR"', 'Ccy="EUR" Ccy="EUR"'),
    PLAIN.replace("Nm>", "x:Nm>"),
    PLAIN.replace("<Refs>", "<Ntry><Refs>"),
    PLAIN.replace("</Refs>", ""),
    PLAIN.replace("{n}.50", "{n},50"),
    PLAIN.replace("BOOK", "PDNG"),
    "<Other/>",
    "<!-- " + PLAIN + " -->",
    "<?pi " + PLAIN + " ?>",
    "</Stmt><Stmt><Id>2</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>",
)
HEAD = "<Document xmlns='x'><BkToCstmrStmt><GrpHdr/>{note}<Stmt><Id>1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
PROLOGS = ("", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.0" encoding="iso-8859-1"?>')


class Pieces:
    """A stream that gives few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = BytesIO(content), size

    def read(self, size: int) -> bytes:
        return self.content.read(min(size, self.size))


def read(content: bytes, size: int = 1 << 16) -> object:
    """Return what a file says, or the code of its refusal."""
    try:
        return list(read_statements(Pieces(content, size), default_currency="EUR"))
    except Unreadable as refusal:
        return refusal.code


def document(entries: list[str], *, prolog: str = "", note: str = "") -> bytes:
    body = "".join(each.replace("{n}", str(n)) for n, each in enumerate(entries, start=1))
    return (prolog + HEAD.replace("{note}", note) + body + "</Stmt></BkToCstmrStmt></Document>").encode()


@pytest.mark.parametrize("odd", ODD)
def test_what_is_unusual_among_entries_built_alike_is_left_to_the_parser(odd):
    entries = [PLAIN] * 4 + [odd] + [PLAIN] * 3
    assert read(document(entries)) == read(document(entries, note="<!-- all of it -->"))


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from((*(PLAIN, PRETTY, FEE) * 12, *ODD)), max_size=16),
    st.sampled_from(PROLOGS),
    st.integers(1, 700),
)
def test_a_file_says_the_same_whoever_reads_its_entries(entries, prolog, size):
    by_parser = read(document(entries, prolog=prolog, note="<!-- all of it -->"))
    assert read(document(entries, prolog=prolog), size) == by_parser


def test_entries_are_cut_out_from_the_second_of_their_kind_on():
    content = document([PLAIN, PLAIN, PLAIN, *[each.replace("{n}", "1") for each in ODD[:2]], PLAIN, PRETTY, PRETTY, FEE])
    plain = content.replace(b"<![CDATA[</Ntry><Ntry>]]>", b"Ana")
    stream = alike.Stream(Source(BytesIO(plain)))
    left = b"".join(iter(stream.read, b""))
    assert [len(run) for run in stream.runs] == [2, 2, 1]
    assert left.count(b"<Ntry>") == 4
    assert left.count(b"\n") == plain.count(b"\n")


def test_after_a_comment_all_is_left_to_the_parser():
    stream = alike.Stream(Source(BytesIO(document([PLAIN] * 4, note="<!-- -->"))))
    assert b"".join(iter(stream.read, b"")).count(b"<Ntry>") == 4


def test_entries_built_anew_each_time_are_not_learnt():
    entries = [PLAIN.replace("Refs>", f"Refs{n // 2}>") for n in range(2_000)]
    assert len(list(read_camt(Source(BytesIO(document(entries)))))) == 2_001
