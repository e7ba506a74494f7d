"""The servers of one run, each a real process on loopback with a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER, PASSWORD = "bench", "a-password-of-the-bench"
_START_SECONDS = 120
_STOP_SECONDS = 20
TOP = Path(__file__).resolve().parents[2]


class DidNotStart(Exception):
    """A server ended, or did not answer, before it could be measured."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        port: On loopback.
        pid: Of its first process.
        folder: Where its files are.
    """

    port: int
    pid: int
    folder: Path

    def processor_seconds(self) -> float:
        """Processor time that all its processes have taken until now."""
        return sum(map(_processor_seconds, _family(self.pid)))

    def resident_mib(self) -> float:
        """Memory of all its processes in MiB; pages that they share count once."""
        return sum(_proportional_kib(pid) for pid in _family(self.pid)) / 1024


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def radicale(folder: Path) -> Iterator[Server]:
    """Plain Radicale with its own storage and server; only where it stores and who may log in is configured."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    (folder / "radicale.ini").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\nhtpasswd_encryption = plain\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "radicale.ini")]
    with _running(command, folder, port) as server:
        yield server


@contextmanager
def xandikos(folder: Path) -> Iterator[Server]:
    """Xandikos as it comes, with one calendar; on plain http it asks nobody for a password."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "xandikos", "serve", "--defaults", "--current-user-principal", f"/{USER}/"]
    command += ["--directory", str(folder / "collections"), "--state-dir", str(folder / "state")]
    command += ["--no-detect-systemd", "--listen-address", "127.0.0.1", "--port", str(port)]
    with _running(command, folder, port) as server:
        yield server


@contextmanager
def calbridge(folder: Path) -> Iterator[Server]:
    """Calbridge as it serves a site: granian with one worker, SQLite; `folder` holds its bridge.yaml."""
    port = free_port()
    config = folder / "bridge.yaml"
    command = [sys.executable, "-m", "bridge", "serve", "--config", str(config), "--listen", f"127.0.0.1:{port}"]
    with _running(command, folder, port) as server:
        yield server


@contextmanager
def nginx(folder: Path) -> Iterator[Server | None]:
    """Nginx with one worker, serving the files in `folder`/www; None where nginx is not installed."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        yield None
        return
    port = free_port()
    (folder / "www").mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events {}\n"
        "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n"
        "  types { text/calendar ics; }\n"
        + "".join(
            f"  {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}\n"
    )
    # As root, nginx would serve as a user who may not read a folder of root's.
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "user root;" if _is_root() else ""]
    with _running([word for word in command if word] if _is_root() else command[:-2], folder, port) as server:
        yield server


def _is_root() -> bool:
    return os.geteuid() == 0


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[Server]:
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, cwd=TOP, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(process, port, folder)
            yield Server(port, process.pid, folder)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DidNotStart(f"{process.args!r} did not start: {(folder / 'log.txt').read_text()[-2000:]}")


def _family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _processor_seconds(pid: int) -> float:
    # The name of the program may hold anything: fields are counted from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proportional_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
