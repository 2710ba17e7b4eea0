"""The mail catcher: what SMTP brings is kept in files and shown to people and to tests."""

import json
import os
import smtplib
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from market.embedded.ports import free_port, wait_until
from market.simulators.mail.pages import create_pages
from market.simulators.mail.store import Mailbox

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Catcher:
    """A running catcher."""

    url: str
    smtp_port: int
    data: Path

    def send(self, message: EmailMessage, *, to: list[str] | None = None) -> None:
        """Send over SMTP."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as smtp:
            smtp.send_message(message, to_addrs=to)

    def listing(self, query: str = "") -> list[dict[str, Any]]:
        """Return the JSON listing."""
        with urllib.request.urlopen(f"{self.url}/messages.json{query}", timeout=10) as answer:
            return list(json.load(answer))


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    """A catcher in a process of its own, as `make run` starts it."""
    running = Catcher(f"http://127.0.0.1:{(port := free_port(None))}", free_port(None), tmp_path / "mail")
    command = [sys.executable, "-m", "market.simulators.mail", "--port", str(port)]
    command += ["--smtp-port", str(running.smtp_port), "--data", str(running.data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert wait_until(lambda: answers(running.url), seconds=20)
        yield running
        process.terminate()
        assert process.wait(timeout=10) == 0


def answers(url: str) -> bool:
    """Say whether the page is there."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.URLError:
        return False
    return True


def letter(subject: str = "Your order", to: str = "ana@example.org") -> EmailMessage:
    """Return a message with text, HTML and an attachment."""
    message = EmailMessage()
    message["From"] = "Fair Market <no-reply@market.example>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("Gracias, Ana.\nConfirm: http://127.0.0.1:8000/confirm/abc?x=1.\n")
    message.add_alternative("<p>Gracias, <b>Ana</b>.</p><script>alert(1)</script>", subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="recibo é.pdf")
    return message


@pytest.fixture
def inbox(tmp_path: Path) -> tuple[Mailbox, FlaskClient]:
    """A mailbox and a client of its pages, without servers."""
    mailbox = Mailbox(tmp_path / "mail")
    return mailbox, create_pages(mailbox).test_client()


def keep(mailbox: Mailbox, message: EmailMessage, number: int = 1) -> str:
    """Keep a message under a fixed name and return that name."""
    from datetime import UTC, datetime
    from uuid import UUID

    name = UUID(f"01900000-0000-7000-8000-{number:012d}")
    mailbox.add(
        id=name,
        received_at=datetime(2026, 11, 25, 9, number, tzinfo=UTC),
        sender="no-reply@market.example",
        recipients=[str(message["To"]), "blind@example.org"],
        content=message.as_bytes(),
    )
    return str(name)


def test_a_message_comes_in_by_smtp_and_stays_after_a_restart(catcher: Catcher) -> None:
    catcher.send(letter("Grüße, ¡hola!"), to=["ana@example.org", "blind@example.org"])
    (found,) = catcher.listing()
    assert found["subject"] == "Grüße, ¡hola!"
    assert found["recipients"] == ["ana@example.org", "blind@example.org"]
    assert found["links"] == ["http://127.0.0.1:8000/confirm/abc?x=1"]
    assert found["attachments"] == ["recibo é.pdf"]
    assert [str(kept.id) for kept in Mailbox(catcher.data).newest()] == [found["id"]]
    assert catcher.listing("?to=other@example.org") == []
    assert len(catcher.listing("?to=ANA@example.org")) == 1


def test_a_thousand_recipients_and_a_large_message_are_taken(catcher: Catcher) -> None:
    large = letter()
    large.add_attachment(os.urandom(3_000_000), maintype="application", subtype="octet-stream", filename="large.bin")
    catcher.send(large, to=[f"member{number}@example.org" for number in range(1000)])
    (found,) = catcher.listing("?to=member999@example.org")
    assert found["attachments"] == ["recibo é.pdf", "large.bin"]


def test_the_inbox_lists_the_newest_first_and_narrows_by_address(inbox: tuple[Mailbox, FlaskClient]) -> None:
    mailbox, client = inbox
    keep(mailbox, letter("First", "a@example.org"), 1)
    keep(mailbox, letter("Second", "b@example.org"), 2)
    page = client.get("/", headers={"Host": "127.0.0.1:8002"}).text
    assert page.index("Second") < page.index("First")
    assert "2 messages" in page
    assert "First" not in client.get("/?to=b@example.org", headers={"Host": "localhost"}).text


def test_a_message_is_shown_and_its_markup_never_runs(inbox: tuple[Mailbox, FlaskClient]) -> None:
    mailbox, client = inbox
    name = keep(mailbox, letter("<b>bold</b>"))
    page = client.get(f"/messages/{name}", headers={"Host": "localhost"})
    assert "&lt;b&gt;bold" in page.text
    assert "alert(1)" not in page.text
    shown = client.get(f"/messages/{name}/html", headers={"Host": "localhost"})
    assert shown.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    attachment = client.get(f"/messages/{name}/attachments/0", headers={"Host": "localhost"})
    assert attachment.data == b"%PDF-1.7"
    assert attachment.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [
        "/messages/01900000-0000-7000-8000-000000000009",
        "/messages/x",
        "/messages/01900000-0000-7000-8000-000000000001/attachments/7",
    ],
)
def test_what_is_not_there_is_not_found(inbox: tuple[Mailbox, FlaskClient], path: str) -> None:
    mailbox, client = inbox
    keep(mailbox, letter())
    assert client.get(path, headers={"Host": "localhost"}).status_code == 404


def test_a_foreign_name_for_this_machine_is_refused(inbox: tuple[Mailbox, FlaskClient]) -> None:
    _, client = inbox
    assert client.get("/messages.json", headers={"Host": "attacker.example"}).status_code == 400


def test_a_broken_message_is_still_shown(inbox: tuple[Mailbox, FlaskClient]) -> None:
    from datetime import UTC, datetime
    from uuid import UUID

    mailbox, client = inbox
    name = UUID("01900000-0000-7000-8000-000000000001")
    content = b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe half a message"
    mailbox.add(id=name, received_at=datetime(2026, 11, 25, tzinfo=UTC), sender="", recipients=["a@b.example"], content=content)
    assert client.get("/", headers={"Host": "localhost"}).status_code == 200
    assert "half a message" in client.get(f"/messages/{name}", headers={"Host": "localhost"}).text


def test_the_pages_are_accessible_and_fit_a_small_phone(catcher: Catcher, browser: Browser) -> None:
    catcher.send(letter("A subject that is so long that it must break somewhere, wherever that is " * 2))
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for address in (catcher.url, f"{catcher.url}/messages/{catcher.listing()[0]['id']}"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert Axe().run(page).response["violations"] == []
    page.close()
