"""One command for everything: `python -m market.cli.up [--port N] [--data DIR]`.

Starts the databases, migrates, starts web server, worker, beat, fake Stripe and mail catcher, loads the demo once, says
`ready:` and keeps watch until Ctrl-C, which stops all in order. A part that falls is started again; if it falls again and
again, the rest is stopped and the exit code says so. Other ways to call it:

    up -- COMMAND          run COMMAND with the addresses of the databases filled in
    up --fresh -- COMMAND  run COMMAND beside a whole new site on free ports, and throw the site away afterwards
    up --stop              stop what runs on the data folder (`make down`)
    up --remove            and throw its data away (`make clean`)
"""

import argparse
import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from config import Settings
from market import embedded
from market.cli.children import ROOT, Children, Interrupted, Stop
from market.cli.site import ADDRESSES, Site, enough_room, plan, remember, remembered
from market.embedded.ports import free_port

READY_SECONDS = 90
PAUSES = (1, 2, 4, 8, 16)
"""Seconds before a part that fell is started again, each longer than the one before; after the last there is no more."""

FORGIVEN_SECONDS = 600
"""A fall so long ago no longer counts."""


class Refused(Exception):
    """Why nothing can be started: one sentence for a person."""


def main(arguments: list[str] | None = None) -> int:
    """Parse `arguments`, do what they ask, and return the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    data = Path(tempfile.mkdtemp(prefix="fair-market-")) if options.fresh else options.data.absolute()
    if options.fresh:
        for name in {"MARKET_DATA"} | {setting.metadata["name"] for setting in fields(Settings)}:
            os.environ.pop(name, None)  # nothing of another site may reach this one
    try:
        if options.stop or options.remove:
            return stop(data, remove=options.remove)
        if options.command and not options.fresh:
            return command_beside(data, options.command)
        return run_site(data, port=0 if options.fresh else options.port, command=options.command)
    except (Refused, embedded.EmbeddedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if options.fresh:
            embedded.remove(data)
            shutil.rmtree(data, ignore_errors=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    own, command = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        own, command = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(prog="up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--data", type=Path, default=embedded.data_folder(os.environ))
    parser.add_argument("--fresh", action="store_true", help="a new site in a temporary folder")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--remove", action="store_true")
    options = parser.parse_args(own)
    options.command = command
    if options.fresh and not command:
        parser.error("--fresh needs a command: up --fresh -- COMMAND")
    return options


def command_beside(data: Path, command: list[str]) -> int:
    """Run `command` with the addresses of `data` in its environment; stop the servers if this call started them."""
    if shutil.which(command[0]) is None:
        raise Refused(f"Cannot run {command[0]}: there is no such program.")
    _writable(data)
    environ = remembered(data) | os.environ | {"MARKET_DATA": str(data)}
    started = False
    if missing := {name for name in ADDRESSES if not environ.get(name)}:
        _, started = embedded.ensure(data, missing)
        environ = embedded.fill(environ)
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH")]))
    process = subprocess.Popen(command, env=environ)
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to the command as well, which decides
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = process.wait()
        return code if code >= 0 else 128 - code
    finally:
        if started and not _supervised(data):  # a site that started meanwhile uses them and stops them itself
            embedded.stop(data)


def run_site(data: Path, *, port: int, command: list[str]) -> int:
    """Start everything on `data`; run `command` beside it, or keep watch until somebody asks to stop."""
    begun = time.monotonic()
    _writable(data)
    halt = Stop()
    with _alone(data):
        port = port or free_port(None)
        if free_port(port) != port:
            raise Refused(f"Port {port} is taken by another program; choose another: make run PORT={port + 1}")
        logs = data / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        children = Children(logs)
        try:
            site = _prepare(data, port)
            _start(site, children, halt)
            if command:
                return _step("command", command, site, children, halt, shown=True)
            _load_demo(site, children, halt)
            _say_ready(site, begun)
            return _watch(children, halt)
        except Interrupted:
            return 0
        finally:
            print("stopping ...", flush=True)
            children.stop()
            embedded.stop(data)
            print("stopped", flush=True)


def stop(data: Path, *, remove: bool) -> int:
    """Stop the site and the servers of `data`; with `remove`, throw their data away."""
    if not data.is_dir():
        print(f"nothing runs on {data}")
        return 0
    ran = _stop_site(data)
    ran |= embedded.stop(data)
    if remove:
        embedded.remove(data)
        shutil.rmtree(data, ignore_errors=True)
    print(f"stopped what ran on {data}" if ran else f"nothing ran on {data}")
    return 0


def _stop_site(data: Path) -> bool:
    """Ask a running supervisor to stop and wait until it did; say whether there was one."""
    if not _supervised(data):
        return False
    with (data / "up.lock").open("r+") as file:
        os.kill(int(file.read()), signal.SIGTERM)
        fcntl.flock(file, fcntl.LOCK_EX)
    return True


def _supervised(data: Path) -> bool:
    """Say whether a supervisor runs a site on `data`."""
    with contextlib.suppress(FileNotFoundError), (data / "up.lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _prepare(data: Path, port: int) -> Site:
    """Start the databases and lay out the site."""
    environ = dict(os.environ)
    if missing := {name for name in ADDRESSES if not environ.get(name)}:
        print(f"databases: starting in {data}", flush=True)
        embedded.ensure(data, missing)
        environ = embedded.fill(environ | {"MARKET_DATA": str(data)})
    site = plan(data, port, environ)
    remember(site)
    return site


def _start(site: Site, children: Children, halt: Stop) -> None:
    """Migrate, then start every part and wait until the web server answers."""
    print("database: migrating", flush=True)
    code = _step("migrate", [sys.executable, "-m", "market.cli.migrations", "upgrade"], site, children, halt)
    if code != 0:
        raise Refused(f"The migration failed; see {site.data / 'logs' / 'migrate.log'}.")
    for part in site.parts:
        print(f"{part.name}: starting", flush=True)
        children.start(part.name, part.command, site.environ)
    end = time.monotonic() + READY_SECONDS
    while not _answers(f"{site.url}/healthz"):
        _refuse_fallen(children)
        if time.monotonic() > end:
            raise Refused(f"The web server does not answer; see {site.data / 'logs' / 'web.log'}.")
        halt.pause(0.1)


def _load_demo(site: Site, children: Children, halt: Stop) -> None:
    """Load the demo once per data folder; the mark is set only when all of it is there."""
    mark = site.data / "demo-loaded"
    if mark.exists() or importlib.util.find_spec("market.demo.__main__") is None:
        return
    print("demo: loading (once)", flush=True)
    code = _step("demo", [sys.executable, "-m", "market.demo"], site, children, halt, shown=True)
    if code != 0:
        raise Refused(f"The demo could not be loaded; see {site.data / 'logs' / 'demo.log'}. `make clean` starts anew.")
    mark.touch()  # the demo may have written it, with its log-ins


def _say_ready(site: Site, begun: float) -> None:
    """Print where everything is; the last block a person sees while the site runs."""
    print(f"logs: {site.data / 'logs'}   started in {time.monotonic() - begun:.1f} s   Ctrl-C stops all")
    if "MAILBOX_URL" in site.environ:
        print(f"mail: {site.environ['MAILBOX_URL']}   every mail the site sends lands in this inbox")
    print(f"ready: {site.url}", flush=True)
    log_ins = site.data / "demo-loaded"
    if log_ins.exists():
        print(log_ins.read_text(), end="", flush=True)


def _watch(children: Children, halt: Stop) -> int:
    """Keep watch until somebody asks to stop, and start what falls again; raises Refused when it falls too often.

    A beat falls when Valkey was flushed, a web server when its processes died twice within seconds.
    """
    while True:
        fallen = children.fallen()
        if fallen is not None:
            instant = time.monotonic()
            fallen.falls = [fall for fall in fallen.falls if instant - fall < FORGIVEN_SECONDS] + [instant]
            if len(fallen.falls) > len(PAUSES):
                _refuse_fallen(children)
            pause = PAUSES[len(fallen.falls) - 1]
            print(f"{fallen.name} ended with code {fallen.process.returncode}; starting it again in {pause} s", flush=True)
            halt.pause(pause)
            children.again(fallen)
        halt.pause(0.5)


def _refuse_fallen(children: Children) -> None:
    fallen = children.fallen()
    if fallen is not None:
        said = "\n".join(f"  {fallen.name} | {line}" for line in fallen.last)
        raise Refused(f"{fallen.name} ended with code {fallen.process.returncode}; the rest is stopped.\n{said}")


def _step(name: str, command: list[str], site: Site, children: Children, halt: Stop, *, shown: bool = False) -> int:
    """Run one command to its end beside the children and return its exit code."""
    child = children.start(name, command, site.environ, shown=shown)
    while child.process.poll() is None:
        _refuse_fallen(children)
        halt.pause(0.05)
    return children.finish(child)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  (our own address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the data folder for one supervisor."""
    with (data / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Refused(
                f"The market runs on {data} already (process {file.read()}); `make down` stops it, DATA= takes another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _writable(data: Path) -> None:
    """Make the data folder; raises Refused where nothing can be written."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data) as probe:
            probe.write(b"x" * 65536)
    except OSError as error:
        raise Refused(f"Cannot write in {data}: {error.strerror}; choose another folder: make run DATA=/path") from error
    if not enough_room(data, megabytes=50):
        raise Refused(f"The disk that holds {data} is full: at least 50 MB must be free.")


if __name__ == "__main__":
    sys.exit(main())
