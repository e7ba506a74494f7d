"""What `doctor` looks at on the machine: the clock, time-zone data, files, the disk, certificates."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
import tempfile
import zoneinfo
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from bridge.cli.findings import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.cli.findings import Finding
    from bridge.config import Configuration

_EARLIEST_YEAR = 2026
_LATEST_YEAR = 2100
_CLOCK_SLACK = timedelta(seconds=5)
_LITTLE_SPACE, _NO_SPACE = 1024**3, 100 * 1024**2
_OLD_ZONES = timedelta(days=730)
_SOON = timedelta(days=14)


def clock(now: datetime, folder: Path) -> Iterator[Finding]:
    """The clock against what can be known without a network: the plausible years, and the file system's own time."""
    year = now.year
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        yield bad("clock", f"The clock says {now:%Y-%m-%d %H:%M} UTC.", "Set the clock; let NTP keep it right.")
        return
    try:
        with tempfile.NamedTemporaryFile(prefix=".calbridge-doctor-", dir=folder) as probe:
            written = datetime.fromtimestamp(Path(probe.name).stat().st_mtime, UTC)
    except OSError:
        # The folder has a finding of its own.
        yield ok("clock", f"The clock says {now:%Y-%m-%d %H:%M} UTC, a plausible year; no time server was asked.")
        return
    if abs(written - now) > _CLOCK_SLACK:
        yield warn(
            "clock",
            f"Files in {folder} get a time that is {abs(written - now).total_seconds():.0f} s away from the clock.",
            "The folder lies on another machine, or a clock is wrong: let NTP keep both right.",
        )
        return
    yield ok(
        "clock",
        f"The clock says {now:%Y-%m-%d %H:%M} UTC, as the file system of {folder} does; no time server was asked.",
    )


def time_zones(now: datetime) -> Iterator[Finding]:
    """Whether the zone data is there, where it comes from, and how old it is."""
    remedy = "Update the system's tzdata package, or `pip install --upgrade tzdata`."
    try:
        zoneinfo.ZoneInfo("Europe/Amsterdam")
    except zoneinfo.ZoneInfoNotFoundError:
        yield bad("time zones", "There is no time-zone data: Europe/Amsterdam is not known.", remedy)
        return
    system = next((Path(place) for place in zoneinfo.TZPATH if (Path(place) / "Europe/Amsterdam").exists()), None)
    version = _zone_version(system)
    source = f"the system's, in {system}" if system else "the Python package tzdata"
    if not version:
        yield ok("time zones", f"Europe/Amsterdam is known, from {source}; the data names no version.")
        return
    age = now - datetime(int(version[:4]), 1, 1, tzinfo=UTC)
    sentence = f"Time-zone data {version}, {source}."
    yield (
        warn("time zones", f"{sentence} Rules may have changed since.", remedy)
        if age > _OLD_ZONES
        else ok("time zones", sentence)
    )


def _zone_version(system: Path | None) -> str:
    """The release of the zone data, such as `2026a`, as far as it is said."""
    if system is None:
        found = importlib.metadata.version("tzdata")
        return found if found[:4].isdigit() else ""
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (system / name).open(encoding="ascii", errors="replace") as file:
                word = file.readline().split()[-1:]
        except OSError:
            continue
        if word and word[0][:4].isdigit():
            return word[0]
    return ""


def files(configuration: Configuration) -> Iterator[Finding]:
    """The folder of the database, the space on its disk, and who may read what is secret."""
    database = configuration.database.file
    if database is not None:
        folder = database.parent
        if not os.access(folder, os.W_OK | os.X_OK) or (database.exists() and not os.access(database, os.W_OK)):
            yield bad(
                "database file",
                f"This user may not write {database} and its folder.",
                "Run as the server's own user, or give it the right to write.",
            )
        elif _others_may_read(database):
            yield warn("database file", f"Every user of this machine may read {database}.", f"chmod o-rwx {database}*")
        else:
            yield ok("database file", f"{database} may be written, and is not open to everybody.")
        yield from _space(folder)
    keys = configuration.secret_key_file
    if _others_may_read(keys):
        yield bad("key file", f"Every user of this machine may read {keys}.", f"chmod 600 {keys}")
    else:
        yield ok("key file", f"{keys} is there, and not open to everybody.")


def _others_may_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False


def _space(folder: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield bad("disk", f"{folder} cannot be looked at ({error.strerror}).", "Make the folder: `calbridge init`.")
        return
    sentence = f"{free / 1024**3:.1f} GiB are free for {folder}."
    if free < _NO_SPACE:
        yield bad("disk", sentence, "Free some space: a full disk stores nothing.")
    elif free < _LITTLE_SPACE:
        yield warn("disk", sentence, "Free some space soon.")
    else:
        yield ok("disk", sentence)


def addresses(configuration: Configuration) -> Iterator[Finding]:
    """What people type, and whether it is safe to type a password there."""
    server = configuration.server
    local = _is_loopback(server.listen.host)
    if server.public_url is None:
        if local:
            yield ok("public URL", f"None is set; the server is for this machine alone, on {server.listen}.")
        else:
            yield warn(
                "public URL",
                f"None is set, though others may reach {server.listen}; feeds and links name {server.listen}.",
                "Set server.public_url to the address that people type.",
            )
    else:
        parts = urlsplit(str(server.public_url))
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            yield bad(
                "public URL",
                f"{server.public_url} is not https: passwords travel in the clear.",
                "Put a proxy with a certificate in front, or set server.tls.",
            )
        else:
            yield ok("public URL", f"{server.public_url}")
        if not server.tls and local and not server.trusted_proxies:
            yield warn(
                "proxies",
                "A proxy stands in front, but none is trusted: every request seems to come from this machine.",
                'Set server.trusted_proxies: [127.0.0.1, "::1"].',
            )
    for network in server.trusted_proxies:
        if network.prefixlen == 0:
            yield bad(
                "proxies",
                f"{network} trusts everybody: any client can claim any address.",
                "Name the proxy's address alone.",
            )
    if server.trusted_proxies and all(network.prefixlen for network in server.trusted_proxies):
        yield ok("proxies", f"Trusted: {', '.join(map(str, server.trusted_proxies))}.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def certificates(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Whether the certificate of the server itself is readable and lasts."""
    tls = configuration.server.tls
    if tls is None:
        return
    try:
        leaf = x509.load_pem_x509_certificates(tls.certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        yield bad("certificate", f"{tls.certificate} cannot be read ({error}).", "Put a PEM file with the chain there.")
        return
    ends = leaf.not_valid_after_utc
    sentence = f"{tls.certificate} is valid until {ends:%Y-%m-%d}."
    if ends <= now:
        yield bad("certificate", f"{tls.certificate} has expired on {ends:%Y-%m-%d}.", "Renew it, then restart.")
    elif ends - now < _SOON:
        yield warn("certificate", sentence, "Renew it, then restart the server.")
    else:
        yield ok("certificate", sentence)
    if _others_may_read(tls.key):
        yield bad("certificate", f"Every user of this machine may read {tls.key}.", f"chmod o-rwx {tls.key}")
