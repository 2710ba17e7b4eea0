"""Who runs the servers, and in which folder.

PostgreSQL refuses to run as root, and a database that a network service can reach should not run as root anyway. Started
by root (as on most build machines) the servers get an account of their own. That account often cannot enter the checkout
(a home folder of mode 0700); opening the parents for it would open them for everybody, so its files then lie in a private
folder below the system's place for long-lived temporary files.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.embedded.errors import EmbeddedError

ACCOUNT_NAME = "fair-market"
PRIVATE_PARENTS = ("/var/tmp", "/tmp")  # (mkdtemp makes the name unguessable and the mode 0700)


@dataclass(frozen=True)
class Account:
    """An unprivileged system account."""

    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give `path` to this account."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account(home: Path | None) -> Account | None:
    """Return the account for the servers; None means the caller's own.

    A folder that exists keeps its owner, so that data made by a person stays usable when root comes along.
    """
    if os.geteuid() != 0:
        return None
    if home is not None and home.exists() and home.stat().st_uid != 0:
        found = home.stat()
        return Account(uid=found.st_uid, gid=found.st_gid)
    entry = _find(ACCOUNT_NAME) or _create(ACCOUNT_NAME) or _find("nobody")
    if entry is None:
        raise EmbeddedError("The servers must not run as root and there is no account for them; run as an ordinary user.")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create(name: str) -> pwd.struct_passwd | None:
    """Add a system account without home or shell; None where this machine has no tool for it."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        shell = "/usr/sbin/nologin"
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell]
        subprocess.run([useradd, *options, name], check=False, capture_output=True)
    return _find(name)  # two starts may race to add it: what counts is that it is there


def run_as(account: Account | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `command` under `account` with a bare environment, so that no PG* variable of the caller reaches it.

    In a session of its own: Ctrl-C must not end an `initdb` halfway.
    """
    options: dict[str, Any] = {}
    if account is not None:
        options = {"user": account.uid, "group": account.gid, "extra_groups": []}
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    try:
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=environ,
            umask=0o077,
            start_new_session=True,
            **options,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 126, "", f"{command[0]}: {error.strerror}")


def write_private(path: Path, text: str, account: Account | None) -> None:
    """Write a new file of mode 0600 for `account`; a link that lies there is replaced, not followed."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if account is not None:
        account.owns(path)


def make_home(data: Path, account: Account | None) -> Path:
    """Create the private folder (mode 0700) for the servers' files and return it."""
    if account is None or run_as(account, ["/bin/sh", "-c", 'test -x "$1"', "sh", str(data)]).returncode == 0:
        home = data / "servers"
        home.mkdir(mode=0o700, exist_ok=True)
    else:
        home = _private_folder()
    if account is not None:
        account.owns(home)
    return home


def _private_folder() -> Path:
    for parent in PRIVATE_PARENTS:
        try:
            return Path(tempfile.mkdtemp(prefix="fair-market-", dir=parent))
        except OSError:
            continue
    raise EmbeddedError(f"The servers need a private folder and none can be made in {' or '.join(PRIVATE_PARENTS)}.")


def reachable(account: Account | None, probe: str, *, site: Path, parts: tuple[str, ...], home: Path, name: str) -> Path:
    """Return `site`, or a copy of its `parts` below `home` when the account cannot run `probe` where it lies.

    A virtual environment below root's home is the usual reason. Paths below `site` keep their shape in the copy, since
    the programs find their libraries relative to themselves.
    """
    if account is None or run_as(account, [str(site / probe), "--version"]).returncode == 0:
        return site
    copy = home / "programs" / name
    if not copy.exists():
        copy.parent.mkdir(mode=0o755, exist_ok=True)
        half = copy.with_name(f"{name}.new")
        shutil.rmtree(half, ignore_errors=True)
        for part in parts:
            if (site / part).exists():
                shutil.copytree(site / part, half / part, symlinks=True, ignore=shutil.ignore_patterns("*.a", "include"))
        _open_for_reading(half.parent)
        half.replace(copy)
    return copy


def _open_for_reading(folder: Path) -> None:
    """Let the account read and run what was copied; the home around it stays closed to all others."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
