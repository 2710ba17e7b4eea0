"""The one command, as a person uses it: it starts, says where, survives, refuses with a sentence, stops, leaves nothing."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from market import embedded
from market.cli.children import Children, Stop
from market.cli.site import demo_secrets, plan, remembered
from market.cli.up import Refused, _answers, _stop_site, _watch
from market.embedded.ports import free_port, wait_until
from market.embedded.servers import read_record, servers_of

ROOT = Path(__file__).resolve().parents[2]
OURS = re.compile(r"^(DATABASE_URL|REDIS_URL|MARKET_|STRIPE_|SMTP_|PUBLIC_URL|SECRET_KEY|PASSWORD_SALT|FILES_URL|PORT$)")
BARE = {name: value for name, value in os.environ.items() if not OURS.match(name)}


def up(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    command = [sys.executable, "-m", "market.cli.up", *arguments]
    return subprocess.run(command, cwd=ROOT, env=BARE | environ, capture_output=True, text=True, check=False, timeout=120)


@dataclass
class Running:
    """A site under its supervisor."""

    process: "subprocess.Popen[str]"
    data: Path
    port: int
    lines: list[str]

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Ask it to stop; return the exit code and what it said."""
        self.process.send_signal(number)
        said, errors = self.process.communicate(timeout=60)
        return self.process.returncode, said + errors


def start(data: Path, **environ: str) -> Running:
    """Start a site and wait until it says that it is ready."""
    # The demo has tests of its own; here it counts as loaded.
    data.mkdir(exist_ok=True)
    (data / "demo-loaded").write_text("  buyer@example.org   a password\n")
    port = free_port(None)
    command = [sys.executable, "-m", "market.cli.up", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=BARE | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("  buyer@example.org"):  # the log-ins, the last that it says
            return Running(process, data, port, lines)
    raise AssertionError("\n".join([*lines, process.communicate()[1]]))


def processes_of(data: Path) -> list[str]:
    """Return the command lines of living processes that know `data`, from their environment or their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            if int(folder.name) != os.getpid() and os.fsencode(data) in command + environ:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def server_pids(data: Path) -> list[int | None]:
    """Return the process ids of the databases."""
    record = read_record(data)
    assert record is not None
    return [server.pid() for server in servers_of(record)]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose site and servers are gone afterwards, also when a test ends halfway."""
    yield tmp_path / "data"
    _stop_site(tmp_path / "data")
    if (tmp_path / "data").exists():
        embedded.remove(tmp_path / "data")


def it_says_where_it_is_and_is_alone(site: Running, data: Path) -> None:
    """Ask what it names, start it once more in vain, and run a command beside it."""
    assert site.lines[-2:] == [f"ready: http://127.0.0.1:{site.port}", "  buyer@example.org   a password"]
    with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/readyz", timeout=10) as answer:
        assert answer.status == 200
    inbox = re.search(r"mail: (http\S+)", "\n".join(site.lines))
    assert inbox is not None
    with urllib.request.urlopen(inbox[1], timeout=10) as answer:
        assert b"Inbox" in answer.read()

    again = up("--data", str(data), "--port", str(free_port(None)))
    assert again.returncode == 1
    assert f"runs on {data} already (process {site.process.pid})" in again.stderr

    beside = up("--data", str(data), "--", sys.executable, "-c", "import os; print(os.environ['PUBLIC_URL'])")
    assert beside.stdout.strip() == f"http://127.0.0.1:{site.port}"


def kill(data: Path, name: str) -> None:
    """Kill the processes of a part."""
    for line in processes_of(data):
        if name in line and "setpriv" not in line:
            found = subprocess.run(
                ["pgrep", "-f", "-x", line.strip()], capture_output=True, text=True, check=False
            ).stdout.split()
            for pid in found:
                with contextlib.suppress(OSError):
                    if os.fsencode(data) in Path(f"/proc/{pid}/environ").read_bytes():
                        os.kill(int(pid), signal.SIGKILL)


def hears(site: Running, words: str) -> bool:
    """Read what the supervisor says until `words` come."""
    assert site.process.stdout is not None
    return any(words in line for line in site.process.stdout)


def parts_that_fall_are_named_and_started_again(site: Running, data: Path) -> None:
    """Kill the web server, then flush Valkey, which takes beat's lock away."""
    kill(data, "serve.py")
    assert hears(site, "web ended with code -9; starting it again in 1 s")
    assert wait_until(lambda: _answers(f"http://127.0.0.1:{site.port}/readyz"), seconds=60)

    record = read_record(data)
    assert record is not None
    broker = redis.Redis.from_url(record.redis_url)
    assert broker.exists("redbeat:outbox")
    broker.flushall()
    assert hears(site, "beat ended with code")  # it finds that its lock is gone
    assert wait_until(lambda: bool(broker.exists("redbeat:outbox")), seconds=60), "the clock starts everything again"
    broker.close()


def test_a_part_that_falls_again_and_again_takes_the_rest_along(tmp_path: Path) -> None:
    children, pauses = Children(tmp_path), []

    class Patient(Stop):
        def __init__(self) -> None:
            """Leave the signals of the tests alone."""

        def pause(self, seconds: float) -> None:
            pauses.append(seconds)

    beside = children.start("beside", [sys.executable, "-c", "import time; time.sleep(600)"], os.environ)
    children.start("weak", [sys.executable, "-c", "raise SystemExit(3)"], os.environ)
    with pytest.raises(Refused, match="weak ended with code 3; the rest is stopped"):
        _watch(children, Patient())
    assert [pause for pause in pauses if pause >= 1] == [1, 2, 4, 8, 16]
    children.stop()
    assert beside.process.poll() is not None


def test_a_site_starts_serves_mends_what_falls_joins_what_is_left_and_stops_without_a_trace(data: Path) -> None:
    """One life of one site, since each start costs seconds of processor: made, fallen and joined, stopped, started again."""
    site = start(data)
    it_says_where_it_is_and_is_alone(site, data)
    parts_that_fall_are_named_and_started_again(site, data)

    pids = server_pids(data)
    site.process.kill()  # the supervisor leaves no part behind, and the next start joins the databases
    site.process.communicate()
    parts = re.compile(r"serve|workers|simulators")
    assert wait_until(lambda: not [line for line in processes_of(data) if parts.search(line)], seconds=60)
    assert server_pids(data) == pids
    joined = start(data)
    assert server_pids(data) == pids
    code, said = joined.stop()
    assert code == 0
    assert said.rstrip().endswith("stopped")
    assert "error" not in said.lower()
    assert processes_of(data) == []
    assert server_pids(data) == [None, None]

    again = start(data)
    assert up("--data", str(data), "--stop").returncode == 0  # asks with SIGTERM
    again.process.communicate(timeout=10)
    assert again.process.returncode == 0
    assert processes_of(data) == []
    assert server_pids(data) == [None, None]
    assert up("--data", str(data), "--stop").stdout == f"nothing ran on {data}\n"

    connect = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute('TABLE alembic_version')"
    assert up("--data", str(data), "--", sys.executable, "-W", "ignore", "-c", connect).returncode == 0
    assert up("--data", str(data), "--remove").returncode == 0
    assert not data.exists()


def test_a_command_gets_addresses_and_its_exit_code_is_ours(data: Path) -> None:
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    assert up("--data", str(data), "--", sys.executable, "-c", code).returncode == 7
    assert processes_of(data) == []
    assert server_pids(data) == [None, None]


def test_asked_to_stop_while_it_starts_it_leaves_nothing(data: Path) -> None:
    command = [sys.executable, "-m", "market.cli.up", "--data", str(data), "--port", str(free_port(None))]
    with subprocess.Popen(command, cwd=ROOT, env=BARE, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("databases: starting")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert process.stdout.read().rstrip().endswith("stopped")
    assert process.returncode == 0
    assert processes_of(data) == []
    assert server_pids(data) == [None, None]


def test_a_command_that_is_asked_to_stop_takes_its_databases_along(data: Path) -> None:
    program = [sys.executable, "-c", "print('here', flush=True); import time; time.sleep(60)"]
    command = [sys.executable, "-m", "market.cli.up", "--data", str(data), "--", *program]
    with subprocess.Popen(command, cwd=ROOT, env=BARE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert server_pids(data) == [None, None]


def test_a_fresh_site_runs_a_command_and_is_thrown_away() -> None:
    code = "import os, urllib.request; print(urllib.request.urlopen(os.environ['PUBLIC_URL'] + '/readyz').status, os.environ['MARKET_DATA']); raise SystemExit(3)"
    done = up("--fresh", "--", sys.executable, "-c", code, DATABASE_URL="postgresql://another.example/site", SMTP_HOST="mail")
    assert done.returncode == 3, done.stderr
    found = re.search(r"^200 (\S+)$", done.stdout, re.MULTILINE)
    assert found is not None
    assert not Path(found[1]).exists()
    assert processes_of(Path(found[1])) == []


def test_a_busy_port_is_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = up("--data", str(data), "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"error: Port {port} is taken by another program; choose another: make run PORT={port + 1}\n"
    assert processes_of(data) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = up("--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot write in ")
    assert done.stderr.count("\n") == 1


def test_a_command_that_does_not_exist_is_one_sentence(data: Path) -> None:
    done = up("--data", str(data), "--", "no-such-program")
    assert (done.returncode, done.stderr) == (1, "error: Cannot run no-such-program: there is no such program.\n")


def test_databases_that_do_not_answer_are_one_sentence(data: Path) -> None:
    nobody = free_port(None)
    done = up(
        "--data", str(data), "--port", str(free_port(None)),
        DATABASE_URL=f"postgresql://a:b@127.0.0.1:{nobody}/c", REDIS_URL=f"redis://127.0.0.1:{nobody}/0",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: The migration failed; see ")
    assert not (data / "servers.json").exists()


def test_what_the_environment_names_is_not_started_again(tmp_path: Path) -> None:
    given = {"SMTP_HOST": "mail.example", "STRIPE_KEY": "sk_test_real", "SECRET_KEY": "s" * 32}
    site = plan(tmp_path, 8000, given)
    assert [part.name for part in site.parts] == ["worker", "beat", "web"]
    assert given.items() <= site.environ.items()
    assert "STRIPE_API_BASE" not in site.environ


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    made = demo_secrets(tmp_path)
    assert demo_secrets(tmp_path) == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert remembered(tmp_path).items() >= made.items()


def test_a_log_that_grows_too_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.cli.children.LARGEST_LOG_BYTES", 300)
    children = Children(tmp_path)
    child = children.start("talker", [sys.executable, "-c", "for n in range(100): print('line', n)"], os.environ)
    child.process.wait()
    assert children.finish(child) == 0
    assert (tmp_path / "talker.log.1").exists()
    assert (tmp_path / "talker.log").stat().st_size < 300
    assert child.last[-1] == "line 99"
