"""Read pain.002: what the bank made of a payment file of ours, as a whole and payment by payment (money.md 6.2).

The bank's word about a payment is never its settlement: only a statement line is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from market.statements.rules.shapes import Unreadable

from . import elements as el
from . import xml
from .source import MAX_LINES, Source

_WATCHED = ("CstmrPmtStsRpt", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts", "StsRsnInf", "OrgnlPmtInfId", "PmtInfSts")
_STATUS = re.compile(r"[A-Z]{4}")
REJECTED = "RJCT"
ACCEPTED = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACCC", "ACFC", "ACWP"})
WAITING = frozenset({"PDNG", "RCVD", "PART", "PRES"})


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What became of one payment; `reference` is the EndToEndId that we gave it."""

    reference: str
    status: str
    reason: str = ""
    text: str = ""


@dataclass(slots=True)
class StatusReport:
    """A report about one payment file: `message_id` is ours; `status` is empty where only payments have one."""

    message_id: str = ""
    status: str = ""
    reason: str = ""
    text: str = ""
    payments: list[PaymentStatus] = field(default_factory=list)


def read_pain002(source: Source) -> StatusReport:
    """Return the report. Raises Unreadable for the whole file: hostile, cut off, about nothing, or with unknown words."""
    report = StatusReport()
    seen = False
    for event, element in xml.events(source, _WATCHED):
        name = el.local_name(element)
        if event == "start":
            seen = seen or name == "CstmrPmtStsRpt"
            continue
        if name == "OrgnlGrpInfAndSts":
            texts = el.texts_of(element)
            report.message_id = el.first(texts, "OrgnlMsgId")
            report.status, report.reason, report.text = _said(texts, "GrpSts", report.message_id)
        elif name == "PmtInfSts":  # our files have one group of payments, and this is the word about it: GrpSts is of the file
            report.status = _status((element.text or "").strip(), "PmtInfSts") or report.status
        elif name == "StsRsnInf" and el.local_name(element.getparent()) == "OrgnlPmtInfAndSts":
            texts = el.texts_of(element)
            report.reason = report.reason or el.first(texts, "Rsn/Cd") or el.first(texts, "Rsn/Prtry")
        elif name == "TxInfAndSts":
            report.payments.append(_payment(el.texts_of(element), len(report.payments) + 1))
            if len(report.payments) > MAX_LINES:
                raise Unreadable(f"the report has more than {MAX_LINES:,} payments", "statements.too_many_lines")
            xml.forget(element)
            source.advance()
    if not seen or not report.message_id:
        raise Unreadable("the report names no payment file (OrgnlMsgId)", "statements.no_statement")
    if not report.status and not report.payments:
        raise Unreadable("the report says nothing about the file or its payments", "statements.no_statement")
    return report


def _payment(texts: el.Texts, number: int) -> PaymentStatus:
    reference = el.clean(el.first(texts, "OrgnlEndToEndId"))
    if not reference:
        raise Unreadable(f"payment {number} of the report has no OrgnlEndToEndId", "statements.bad_line")
    status, reason, text = _said(texts, "TxSts", f"payment {reference}")
    if not status:
        raise Unreadable(f"payment {reference} has no status (TxSts)", "statements.bad_line")
    return PaymentStatus(reference, status, reason, text)


def _said(texts: el.Texts, name: str, where: str) -> tuple[str, str, str]:
    reason = el.first(texts, "StsRsnInf/Rsn/Cd") or el.first(texts, "StsRsnInf/Rsn/Prtry")
    words = " ".join(texts.get("StsRsnInf/AddtlInf", ()))[:300]
    return _status(el.first(texts, name), where), reason, words


def _status(text: str, where: str) -> str:
    if text and not (_STATUS.fullmatch(text) and (text == REJECTED or text in ACCEPTED or text in WAITING)):
        raise Unreadable(f"{where}: the status {text[:20]!r} is not known", "statements.bad_line")
    return text
