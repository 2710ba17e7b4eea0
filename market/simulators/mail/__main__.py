"""Run the mail catcher: `python -m market.simulators.mail --port N --smtp-port N --data DIR`."""

import argparse
import asyncio
import signal
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP
from werkzeug.serving import make_server

from market.simulators.mail.catcher import Catcher
from market.simulators.mail.pages import create_pages
from market.simulators.mail.store import Mailbox

HOST = "127.0.0.1"
LARGEST_MESSAGE_BYTES = 25 * 1024**2


async def serve(*, port: int, smtp_port: int, data: Path) -> None:
    """Take mail and show it until the process is asked to end."""
    mailbox = Mailbox(data)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    catcher = Catcher(mailbox)
    smtp = await loop.create_server(
        lambda: SMTP(catcher, hostname="localhost", data_size_limit=LARGEST_MESSAGE_BYTES, enable_SMTPUTF8=True), HOST, smtp_port
    )
    pages = make_server(HOST, port, create_pages(mailbox), threaded=True)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    print(f"inbox at http://{HOST}:{port}, SMTP on port {smtp_port}", flush=True)
    async with smtp:
        await ended.wait()
    pages.shutdown()
    pages.server_close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m market.simulators.mail", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the inbox page")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(port=options.port, smtp_port=options.smtp_port, data=options.data))


if __name__ == "__main__":
    main()
