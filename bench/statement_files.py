"""Whole statement files with known truth, written separately from `statement_noise` and read through the readers.

Where the other generator makes lines as the rules see them, this one writes files as banks do: camt.053, MT940 and CSV in
turn, references cut by the subfields of MT940, names in capitals or with a title. It has habits of its own: families share
an account, a payee gets the same sum each week, a buyer uses last month's reference again or pays two orders at once.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from uuid import UUID
from xml.sax.saxutils import escape

from bench.statement_noise import Score
from market.kernel.references import Kind, reference
from market.statements.rules.claims import Claim, Proposal, Target, claims_of
from market.statements.rules.matching import propose
from market.statements.rules.readers.delimited import CsvMapping
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.references import find_references
from market.statements.rules.shapes import Line, Part

IBAN = "NL91ABNA0417164300"
FIRST_DAY = date(2026, 2, 2)
FEES = (12, 35)
RETURNING = 0.8
"""So many buyers paid by transfer before, so their account is known (`service.targets`)."""

PRICES = (1250, 2400, 3375, 4800, 7200, 9600, 15_000)
CSV = CsvMapping(
    {"line_ref": "Id", "date": "Day", "amount": "Amount", "counterparty": "Name", "counterparty_account": "IBAN", "text": "Text"},
    delimiter=";", decimal=",", thousands=".", date_format="%d.%m.%Y",
)  # fmt: skip
_FIRST = ("Amina", "Bosco", "Chantal", "Dieudonné", "Espérance", "Félicité", "Gaspard", "Honorine", "Josiane", "Léonie", "Moïse")
_LAST = ("Habimana", "Ingabire", "Kayitesi", "Lukwesa", "Mbabazi", "Ndayisenga", "Okello", "Phiri", "Rugamba", "Tembo", "Zulu")


@dataclass(frozen=True)
class _Booked:
    """A line as the bank knows it, before it is written in a format."""

    ref: str
    day: date
    minor: int
    name: str
    account: str
    text: str
    end_to_end: str = ""
    message: str = ""
    returned: bool = False
    parts: tuple["_Booked", ...] = ()


@dataclass
class Files:
    """Targets, files about them, and what each line is about, by the bank's number and the part."""

    targets: list[Target] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    truth: dict[tuple[str, int], frozenset[UUID]] = field(default_factory=dict)


def make_files(seed: int, things: int, *, days: int = 60) -> Files:
    """Return files about `things` payouts and payments; equal seeds give equal bytes."""
    return _Writer(seed, things, days).made()


def measure_files(files: Files) -> tuple[Score, dict[str, int]]:
    """Read the files, run the rules, compare with the truth; return the score and how often each kind was missed."""
    claims, keys = list[Claim](), dict[tuple[UUID, int], tuple[str, int]]()
    number = 0
    for content in files.contents:
        for event in read_statements(io.BytesIO(content), default_currency="EUR", mappings=[CSV]):
            if isinstance(event, Line):
                number += 1
                for claim in _claims(event, UUID(int=number)):
                    claims.append(claim)
                    keys[claim.line_id, claim.part] = (event.bank_ref, claim.part)
    proposals = propose(claims, files.targets, known_fees=frozenset(FEES))
    return _scored(files, claims, keys, proposals)


def _scored(
    files: Files, claims: list[Claim], keys: dict[tuple[UUID, int], tuple[str, int]], proposals: list[Proposal]
) -> tuple[Score, dict[str, int]]:
    chosen: dict[tuple[UUID, int], set[UUID]] = {}
    for proposal in proposals:
        if proposal.automatic and proposal.target_id is not None:
            chosen.setdefault((proposal.line_id, proposal.part), set()).add(proposal.target_id)
    right, wrong, expected, missed = 0, 0, 0, dict[str, int]()
    offered = {(proposal.line_id, proposal.part) for proposal in proposals}
    for claim in claims:
        key = (claim.line_id, claim.part)
        truth = files.truth.get(keys[key], frozenset())
        expected += bool(truth)
        if key in chosen:
            right += chosen[key] == truth
            wrong += chosen[key] != truth
        elif truth:
            signs = "reference" if claim.references else "account" if claim.account else "name only"
            kind = "return" if claim.returned else "debit" if claim.amount_minor < 0 else "credit"
            said = f"{kind}, {signs}, {'suggested' if key in offered else 'nothing offered'}"
            missed[said] = missed.get(said, 0) + 1
    return Score(len(claims), right, wrong, expected), missed


def _claims(line: Line, line_id: UUID) -> list[Claim]:
    whole = Claim(
        line_id=line_id, booked_on=line.booked_on or FIRST_DAY, amount_minor=line.amount_minor,
        references=find_references(*line.refs, line.text), batches=line.batch_refs, batch_count=line.batch_count,
        account=line.counterparty_account, name=line.counterparty_name, text=line.text, bank_code=line.bank_code,
        returned=line.returned, return_reason=line.return_reason, charges_minor=line.charges_minor,
    )  # fmt: skip
    return claims_of(whole, [_part(whole, part) for part in line.parts])


def _part(whole: Claim, part: Part) -> Claim:
    return Claim(
        line_id=whole.line_id, booked_on=whole.booked_on, amount_minor=part.amount_minor or 0, part=part.n,
        references=find_references(*part.refs, part.text), batches=part.batch_refs, account=part.counterparty_account,
        name=part.counterparty_name, text=part.text, returned=part.returned,
    )  # fmt: skip


class _Writer:
    def __init__(self, seed: int, things: int, days: int) -> None:
        self.random = Random(f"files {seed}")
        self.things, self.days = things, days
        self.files = Files()
        self.lines: list[_Booked] = []
        self.people = list(self._people(max(30, things // 12)))
        self.number = 0
        self.paid: dict[tuple[str, str], Target] = {}

    def made(self) -> Files:
        while self.number < self.things:
            chance = self.random.random()
            if chance < 0.55:
                self._payout()
            elif chance < 0.62:
                self._weekly()
            elif chance < 0.65:
                self._run()
            elif chance < 0.99:
                self._payment()
            else:
                self._two_orders()
        for _ in range(self.things // 20):
            self._foreign()
        self.lines.sort(key=lambda line: (line.day, line.ref))
        size = max(1, len(self.lines) // 6 + 1)
        balance = 10_000_000
        for n, start in enumerate(range(0, len(self.lines), size)):
            chunk = self.lines[start : start + size]
            self.files.contents.append((_camt, _mt940, _csv)[n % 3](n + 1, balance, chunk))
            balance += sum(line.minor for line in chunk)
        return self.files

    def _people(self, count: int) -> Iterator[tuple[str, str]]:
        account = ""
        for n in range(count):
            if n % 9 or not account:  # every ninth person shares the account of the one before
                account = f"RW{self.random.randrange(10**20):020d}"
            yield f"{self.random.choice(_FIRST)} {self.random.choice(_LAST)}", account

    def _new(self, kind: str, minor: int, person: tuple[str, str], since: date, message: str = "") -> Target:
        self.number += 1
        id_ = UUID(int=self.random.getrandbits(128))
        known = kind == "payout" or self.random.random() < RETURNING
        account = person[1] if known else ""
        named = reference(Kind[kind.upper()], 500_000 + self.number)
        target = Target(kind, id_, named, minor, since, "open", account, person[0], (message,) if message else ())
        self.files.targets.append(target)
        return target

    def _day(self) -> date:
        return FIRST_DAY + timedelta(days=self.random.randrange(self.days))

    def _minor(self) -> int:
        return self.random.choice(PRICES) if self.random.random() < 0.3 else self.random.randint(150, 120_000)

    def _add(self, truth: frozenset[UUID], line: _Booked) -> None:
        self.lines.append(line)
        for part in range(len(line.parts) + 1):
            self.files.truth[line.ref, part] = truth

    def _booked(self, target: Target, person: tuple[str, str], minor: int, since: date) -> _Booked:
        written, plain = self._written(target.reference)
        return _Booked(
            ref=f"B{len(self.lines):07d}",
            day=since + timedelta(days=self.random.choice((0, 0, 1, 1, 1, 2, 3, 4, 6))),
            minor=minor,
            name=self._name(person[0]),
            account=person[1] if self.random.random() > 0.12 else "",
            text=written,
            end_to_end=target.reference if plain and target.kind == "payout" else "",
        )

    def _payout(self, person: tuple[str, str] | None = None, minor: int = 0, since: date | None = None) -> None:
        person, since = person or self.random.choice(self.people), since or self._day()
        target = self._new("payout", minor or self._minor(), person, since)
        fee = self.random.choice(FEES) if self.random.random() < 0.03 else 0
        line = self._booked(target, person, -target.amount_minor - fee, since)
        self._add(frozenset({target.id}), line)
        if self.random.random() < 0.012:
            self._add(frozenset(), replace(line, ref=f"B{len(self.lines):07d}", day=line.day + timedelta(days=2)))
        if self.random.random() < 0.015:
            self._returned(target, person, line.day)

    def _returned(self, target: Target, person: tuple[str, str], paid_on: date) -> None:
        kept = self.random.choice((0, 0, FEES[0])) if target.amount_minor > FEES[0] else 0
        line = self._booked(target, person, target.amount_minor - kept, paid_on + timedelta(days=1))
        self._add(frozenset({target.id}), replace(line, returned=True))

    def _weekly(self) -> None:
        """The same sum to the same payee, some weeks in a row."""
        person, minor, since = self.random.choice(self.people), self.random.choice(PRICES), self._day()
        for week in range(self.random.randint(2, 4)):
            self._payout(person, minor, since + timedelta(days=7 * week))

    def _run(self) -> None:
        """A file of payouts that the bank books as one sum, with or without its list."""
        since, message = self._day(), f"RUN-F-{self.number:06d}"
        members = [
            (self._new("payout", self._minor(), person, since, message), person)
            for person in self.random.choices(self.people, k=self.random.randint(4, 25))
        ]
        ref, day = f"B{len(self.lines):07d}", since + timedelta(days=self.random.randint(0, 3))
        parts = tuple(replace(self._booked(target, person, -target.amount_minor, day), day=day) for target, person in members)
        how = self.random.random()
        listed = how < 0.5
        whole = _Booked(
            ref, day, sum(part.minor for part in parts), "", "", "SEPA batch", message=message if how < 0.85 else "",
            parts=parts if listed else (),
        )  # fmt: skip
        self.lines.append(whole)
        self.files.truth[ref, 0] = frozenset(target.id for target, _ in members)
        for n, (target, _) in enumerate(members, start=1):
            self.files.truth[ref, n] = frozenset({target.id})

    def _payment(self) -> None:
        person, since = self.random.choice(self.people), self._day()
        target = self._new("payment", self._minor(), person, since)
        line = self._booked(target, person, target.amount_minor, since)
        before = self.paid.get(person)
        if before is not None and before.since + timedelta(days=8) < since and self.random.random() < 0.03:
            line = replace(line, text=f"order {before.reference}")  # last month's reference again
        self._add(frozenset({target.id}), line)
        self.paid[person] = target

    def _two_orders(self) -> None:
        person, since = self.random.choice(self.people), self._day()
        both = [self._new("payment", self._minor(), person, since) for _ in range(2)]
        line = self._booked(both[0], person, sum(target.amount_minor for target in both), since)
        text = " and ".join(target.reference for target in both)
        self._add(frozenset(target.id for target in both), replace(line, text=text))

    def _foreign(self) -> None:
        """Nothing of ours, though often from somebody we know."""
        person = self.random.choice(self.people)
        known = self.random.random() < 0.2
        self._add(
            frozenset(),
            _Booked(
                f"B{len(self.lines):07d}", self._day(), self.random.choice((1, -1)) * self._minor(), self._name(person[0]),
                "" if self.random.random() < 0.25 else person[1] if known else f"RW{self.random.randrange(10**20):020d}",
                self.random.choice(("rent", "fuel 4711", "refund")),
            ),
        )  # fmt: skip

    def _written(self, named: str) -> tuple[str, bool]:
        chance = self.random.random()
        if chance < 0.13:
            return self.random.choice(("", "coffee", "thanks", "order of last week")), False
        if chance < 0.17:
            return f"pay {named[:-4]}", False
        if chance < 0.19:
            at = self.random.randint(5, 12)
            return f"ref {named[:at]}{named[at + 1]}{named[at]}{named[at + 2 :]}", False  # two neighbours exchanged
        if chance < 0.30:
            grouped = " ".join(named[at : at + self.random.choice((2, 4))] for at in range(0, len(named), 4))
            return self.random.choice((named.lower(), f"Nr.{named[:4]}/{named[4:]}", f"{named[:9]}\n{named[9:]}", grouped)), False
        return f"your ref {named} week {self.random.randint(1, 52)}", True

    def _name(self, name: str) -> str:
        return self.random.choice((name, name.upper(), f"Mrs {name}", ", ".join(reversed(name.split())), name[:14]))


def _major(minor: int, point: str) -> str:
    return f"{abs(minor) // 100}{point}{abs(minor) % 100:02d}"


def _camt(number: int, opening: int, lines: list[_Booked]) -> bytes:
    closing = opening + sum(line.minor for line in lines)
    out = [f"<Document><BkToCstmrStmt><GrpHdr/><Stmt><Id>S{number}</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>"]
    for code, minor in (("OPBD", opening), ("CLBD", closing)):
        out.append(f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_camt_amount(minor)}</Bal>")
    for line in lines:
        batch = f"<Btch><PmtInfId>{line.message}</PmtInfId></Btch>" if line.message else ""
        details = "".join(_camt_details(part, line.returned) for part in line.parts or (line,))
        out.append(
            f"<Ntry>{_camt_amount(line.minor)}<Sts>BOOK</Sts><BookgDt><Dt>{line.day}</Dt></BookgDt><AcctSvcrRef>{line.ref}"
            f"</AcctSvcrRef><NtryDtls>{batch}{details}</NtryDtls></Ntry>"
        )
    return "".join([*out, "</Stmt></BkToCstmrStmt></Document>"]).encode()


def _camt_amount(minor: int) -> str:
    return f'<Amt Ccy="EUR">{_major(minor, ".")}</Amt><CdtDbtInd>{"CRDT" if minor >= 0 else "DBIT"}</CdtDbtInd>'


def _camt_details(line: _Booked, returned: bool) -> str:
    them = "Dbtr" if (line.minor > 0) != returned else "Cdtr"
    account = f"<{them}Acct><Id><IBAN>{line.account}</IBAN></Id></{them}Acct>" if line.account else ""
    why = "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>" if returned else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{line.end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>{_camt_amount(line.minor)}<RltdPties>"
        f"<{them}><Nm>{escape(line.name)}</Nm></{them}>{account}</RltdPties><RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>"
        f"{why}</TxDtls>"
    )


def _mt940(number: int, opening: int, lines: list[_Booked]) -> bytes:
    first, last = lines[0].day, lines[-1].day
    closing = opening + sum(line.minor for line in lines)
    out = [f":20:S{number}", f":25:{IBAN}", f":28C:{number}/1", f":60F:{_mt940_balance(opening, first)}"]
    for line in lines:
        mark = ("RD" if line.returned else "C") if line.minor > 0 else "D"
        out.append(f":61:{line.day:%y%m%d}{line.day:%m%d}{mark}{_major(line.minor, ',')}NTRFNONREF//{line.ref}")
        out += _mt940_details(line)
    out += [f":62F:{_mt940_balance(closing, last)}", "-", ""]
    return "\r\n".join(out).encode()


def _mt940_balance(minor: int, day: date) -> str:
    return f"{'C' if minor >= 0 else 'D'}{day:%y%m%d}EUR{_major(minor, ',')}"


def _mt940_details(line: _Booked) -> list[str]:
    """The purpose in subfields of 27, and the whole cut into lines of 65, as the standard has it."""
    purpose = (f"EREF+{line.end_to_end} " if line.end_to_end else "") + "SVWZ+" + " ".join(line.text.split())
    pieces = [purpose[at : at + 27] for at in range(0, len(purpose), 27)][:10]
    fields = "".join(f"?{20 + n}{piece}" for n, piece in enumerate(pieces))
    code = "159" if line.returned else "116" if line.minor < 0 else "166"
    text = f":86:{code}?00TRANSFER{fields}" + (f"?31{line.account}" if line.account else "") + f"?32{line.name[:27]}"
    return [text[at : at + 65] for at in range(0, len(text), 65)]


def _csv(_number: int, _opening: int, lines: list[_Booked]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["Id", "Day", "Amount", "Name", "IBAN", "Text"])
    for line in lines:
        amount = f"{'-' if line.minor < 0 else ''}{_major(line.minor, ',')}"
        writer.writerow([line.ref, f"{line.day:%d.%m.%Y}", amount, line.name, line.account, f"{line.end_to_end} {line.text}"])
    return out.getvalue().encode()
