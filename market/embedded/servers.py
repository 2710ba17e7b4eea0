"""Join the recorded servers, or start them: whoever comes first starts, everybody else joins.

What is recorded (`DATA/servers.json`, mode 0600) are addresses and passwords, never handles: a process that joins cannot
take the servers down when it ends. A record survives its servers; ports are kept where they are still free.
"""

import fcntl
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from market.embedded import postgres, valkey
from market.embedded.account import make_home, server_account, write_private
from market.embedded.errors import EmbeddedError
from market.embedded.postgres import Cluster, new_password
from market.embedded.valkey import Valkey

log = logging.getLogger(__name__)
ROLE = "market"  # owns the database of the same name; LOGIN, CREATEDB, CREATEROLE, not a superuser
DEFAULT_DATA = Path(__file__).resolve().parents[2] / "var"


@dataclass(frozen=True, repr=False)
class Record:
    """Where the servers of a data folder are and how to get in."""

    home: str
    superuser_password: str
    password: str
    valkey_password: str
    postgres_port: int | None = None
    valkey_port: int | None = None

    @property
    def database_url(self) -> str:
        """Return the address of the database `market` for its owner."""
        return postgres.url(ROLE, self.password, self.postgres_port or 0, ROLE)

    @property
    def redis_url(self) -> str:
        """Return the address of Valkey."""
        return valkey.url(self.valkey_password, self.valkey_port or 0)


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for everything that must survive: `MARKET_DATA`, else `var/` of the checkout."""
    return Path(environ["MARKET_DATA"]).absolute() if environ.get("MARKET_DATA") else DEFAULT_DATA


def fill(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with DATABASE_URL and REDIS_URL, from the servers of its data folder where it names none.

    Starts what does not run. Nothing is added in production: there, a missing address is an error of the settings.
    """
    filled = dict(environ)
    wanted = {name for name in ("DATABASE_URL", "REDIS_URL") if not filled.get(name)}
    if not wanted or filled.get("MARKET_ENV") == "production":
        return filled
    record, started = ensure(data_folder(environ), wanted)
    if started:
        log.warning("started the databases of %s; `make down` stops them", data_folder(environ))
    addresses = {"DATABASE_URL": record.database_url, "REDIS_URL": record.redis_url}
    return filled | {name: addresses[name] for name in wanted}


def ensure(data: Path, wanted: set[str]) -> tuple[Record, bool]:
    """Return the record of the running servers and whether this call started any of them."""
    with _plainly(data):
        record = read_record(data)
        if record is not None and not _missing(record, wanted):
            return record, False
        data.mkdir(parents=True, exist_ok=True)
        with _locked(data):
            record = read_record(data) or _new_record(data)
            missing = _missing(record, wanted)
            if missing:
                record = _start(record, missing)
                _write(data, record)
            return record, bool(missing)


def stop(data: Path) -> bool:
    """Stop the servers of `data` in order; say whether any ran."""
    with _plainly(data):
        if read_record(data) is None:
            return False
        with _locked(data):
            record = read_record(data)
            if record is None:
                return False
            both = servers_of(record)
            ran = [server for server in both if server.pid() is not None]
            for server in ran:
                server.stop()
            return bool(ran)


def remove(data: Path) -> None:
    """Stop the servers of `data` and throw away everything they held."""
    stop(data)
    with _plainly(data):
        record = read_record(data)
        if record is not None:
            shutil.rmtree(record.home, ignore_errors=True)
            (data / "servers.json").unlink()


def servers_of(record: Record) -> tuple[Valkey, Cluster]:
    """Return the two servers in the order in which they stop."""
    home = Path(record.home)
    account = server_account(home)
    return Valkey(home, account), Cluster(home, account)


def _missing(record: Record, wanted: set[str]) -> set[str]:
    """Return the names of `wanted` whose server does not answer."""
    missing = set()
    if "DATABASE_URL" in wanted and not (record.postgres_port and postgres.answers(record.database_url)):
        missing.add("DATABASE_URL")
    if "REDIS_URL" in wanted and not (record.valkey_port and valkey.answers(record.redis_url)):
        missing.add("REDIS_URL")
    return missing


def _start(record: Record, missing: set[str]) -> Record:
    if not Path(record.home).is_dir():
        raise EmbeddedError(f"The database lay in {record.home}, which is gone; `make clean` forgets it and starts anew.")
    cache, cluster = servers_of(record)
    if "DATABASE_URL" in missing:
        port = cluster.start(port=record.postgres_port, superuser_password=record.superuser_password)
        cluster.prepare(port=port, superuser_password=record.superuser_password, role=ROLE, password=record.password)
        record = replace(record, postgres_port=port)
    if "REDIS_URL" in missing:
        record = replace(record, valkey_port=cache.start(port=record.valkey_port, password=record.valkey_password))
    return record


def _new_record(data: Path) -> Record:
    """Make the home and write its record at once: passwords must be on the disk before a cluster uses them."""
    home = make_home(data, server_account(data / "servers"))
    record = Record(str(home), new_password(), new_password(), new_password())
    _write(data, record)
    return record


def read_record(data: Path) -> Record | None:
    """Return what is recorded of the servers of `data`; None when they were never started."""
    try:
        return Record(**json.loads((data / "servers.json").read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise EmbeddedError(
            f"{data / 'servers.json'} is damaged ({error}); put it back, or remove {data} to start anew."
        ) from error


def _write(data: Path, record: Record) -> None:
    """Replace the record in one step: readers take no lock."""
    half = data / "servers.json.new"
    write_private(half, json.dumps(asdict(record)), None)
    half.replace(data / "servers.json")


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Let one process at a time start or stop the servers of `data`."""
    with (data / "servers.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _plainly(data: Path) -> Iterator[None]:
    """Turn what the system refuses into a sentence that names the folder."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(f"Cannot keep the servers' files in {data}: {error.strerror or error}.") from error
