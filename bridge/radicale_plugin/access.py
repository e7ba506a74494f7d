"""Who may log in, and what each user may do: Radicale's auth and rights plugins, answered by the configuration."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import structlog
from radicale import auth, rights

from bridge.config import AuthType
from bridge.radicale_plugin.backing import Backing, Place
from bridge.store import account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from radicale.config import Configuration as RadicaleConfiguration

_log = structlog.get_logger()

_MOST_REMEMBERED = 10_000
_USERS_BEHIND_AN_ADDRESS = 10
_LONGEST_WAIT_SECONDS = 2.0
_HASHES_AT_ONCE = 4
_APP_PASSWORD_USE_SECONDS = 3600.0


@dataclass(slots=True)
class _Verified:
    """A login that was verified a short while ago.

    Attributes:
        evidence: What it was checked against; when that changes, so does the answer.
        until: Monotonic time at which it has to be verified again.
        app_password: Number of the app password that it was, or None.
        noted: Monotonic time at which the use of the app password was last noted.
    """

    evidence: object
    until: float
    app_password: int | None
    noted: float


@dataclass(slots=True)
class _Failures:
    times: int
    since: float


class Logins:
    """Verifies passwords: of the YAML file, app passwords, or what Radicale's own auth types say.

    A verified login is remembered for a few minutes, so that a request does not cost an Argon2 hash. After wrong
    passwords the same client address waits a little longer each time; from a limit on it is refused unheard. Waiting
    is bounded, so that nobody can keep every thread of the server waiting.

    Args:
        backing: Store and configuration.
        foreign: Radicale's own auth plugin where the configuration names one (LDAP, htpasswd), else None.
        monotonic: A clock for timeouts, in seconds.
        wait: Suspends the calling thread for some seconds.
    """

    def __init__(
        self,
        backing: Backing,
        *,
        foreign: auth.BaseAuth | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._backing = backing
        self._foreign = foreign
        self._monotonic = monotonic
        self._wait = wait
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        # By keyed hash of user and password: each device may log in with an app password of its own.
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        # By address and user, so that one phone with an old password does not lock out its whole office; and by
        # address alone, with a wider limit, against guessing of many users.
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._waiting = threading.BoundedSemaphore(4)
        # A hash takes 64 MiB and a core.
        self._hashing = threading.BoundedSemaphore(_HASHES_AT_ONCE)
        # Unknown users cost as much time as known ones.
        self._nobody = account.hash_password(secrets.token_hex(8))

    def verify(self, user: str, password: str, *, address: str) -> bool:
        """Whether `password` logs `user` in.

        Args:
            user: Name of the user.
            password: As the client sent it.
            address: Of the client, for slowing down and for the log.
        """
        digest = hmac.digest(self._key, f"{user}\0{password}".encode(), hashlib.sha256)
        if self._recently_verified(user, digest):
            return True
        limit = self._backing.configuration().limits.login_failures
        failures = self._failures_of(address, user)
        if failures >= limit or self._failures_of(address, "") >= limit * _USERS_BEHIND_AN_ADDRESS:
            return False
        evidence = self._evidence(user)
        app_password = self._app_password(user, password)
        if app_password is None and not self._primary(user, password, address):
            self._failed(user, address, failures)
            return False
        now = self._monotonic()
        cache = self._backing.configuration().limits.login_cache.total_seconds()
        with self._lock:
            self._failures.pop((_home(address), user), None)
            self._verified[digest] = _Verified(evidence, now + cache, app_password, now)
            self._verified.move_to_end(digest)
            while len(self._verified) > _MOST_REMEMBERED:
                self._verified.popitem(last=False)
        if app_password is not None:
            with self._backing.database.writing() as tx:
                account.note_use(tx, app_password)
        return True

    def _recently_verified(self, user: str, digest: bytes) -> bool:
        # Looking a keyed hash up tells an attacker nothing: they cannot make one with a chosen beginning.
        known = self._verified.get(digest)
        if known is None:
            return False
        now = self._monotonic()
        if now > known.until or known.evidence != self._evidence(user):
            return False
        if known.app_password is not None:
            with self._backing.database.reading() as tx:
                if not account.app_password_exists(tx, known.app_password):
                    return False
            if now - known.noted > _APP_PASSWORD_USE_SECONDS:
                known.noted = now
                with self._backing.database.writing() as tx:
                    account.note_use(tx, known.app_password)
        return True

    def _evidence(self, user: str) -> object:
        """What a login of `user` depends on in the configuration: a changed password ends remembered logins."""
        configuration = self._backing.configuration()
        known = configuration.users.get(user)
        return None if known is None else (known.password_hash, known.password, known.password_file, configuration.auth)

    def _app_password(self, user: str, password: str) -> int | None:
        if user not in self._backing.configuration().users:
            return None
        with self._backing.database.reading() as tx:
            kept = account.app_password_to_compare(tx, user, password)
        return kept[0] if kept is not None and self._is_hash_of(password, kept[1]) else None

    def _is_hash_of(self, password: str, password_hash: str) -> bool:
        with self._hashing:
            return account.verify_password(password, password_hash)

    def _primary(self, user: str, password: str, address: str) -> bool:
        known = self._backing.configuration().users.get(user)
        if self._foreign is not None:
            context: Any = auth.AuthContext()  # type: ignore[no-untyped-call]
            context.remote_addr = address
            # What plugins implement; the public `login` would add a cache and a delay of its own.
            confirmed, _ = self._foreign._login_ext_with_groups(user, password, context)  # noqa: SLF001
            return known is not None and confirmed == user
        # One hash, whoever asks: an answer that comes sooner would tell which names exist.
        expected = self._nobody if known is None or known.password_hash is None else _revealed(known.password_hash)
        is_right = self._is_hash_of(password, expected)
        if known is not None and known.password is not None:
            return hmac.compare_digest(known.password.get_secret_value().encode(), password.encode())
        return is_right

    def _failures_of(self, address: str, user: str) -> int:
        window = self._backing.configuration().limits.login_window.total_seconds()
        with self._lock:
            known = self._failures.get((_home(address), user))
            if known is not None and self._monotonic() - known.since > window:
                del self._failures[_home(address), user]
                known = None
            return 0 if known is None else known.times

    def _failed(self, user: str, address: str, before: int) -> None:
        with self._lock:
            for key in ((_home(address), user), (_home(address), "")):
                self._failures.setdefault(key, _Failures(0, self._monotonic())).times += 1
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_REMEMBERED:
                self._failures.popitem(last=False)
        if before == 0:
            # One line for the first of a row, not one for each attempt.
            _log.warning("login_refused", user=user, address=address)
        elif before + 1 == self._backing.configuration().limits.login_failures:
            _log.warning("logins_blocked", user=user, address=address)
        if self._waiting.acquire(blocking=False):
            try:
                self._wait(min(_LONGEST_WAIT_SECONDS, 0.1 * 2 ** min(before, 10)))
            finally:
                self._waiting.release()


def _home(address: str) -> str:
    """What one client cannot leave at will: an IPv4 address, or the /64 that an IPv6 line has to itself (RFC 6177)."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if isinstance(read, IPv4Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(IPv6Address(int(read) >> 64 << 64))


def _revealed(secret: Any) -> str:
    return secret.get_secret_value() if hasattr(secret, "get_secret_value") else str(secret)


class Auth(auth.BaseAuth):
    """Radicale's auth plugin: passwords of the configuration, app passwords, or one of Radicale's own types.

    Args:
        configuration: Radicale's configuration.
        backing: Store and configuration of ours.
        logins: Verifies the passwords.
    """

    def __init__(self, configuration: RadicaleConfiguration, *, backing: Backing, logins: Logins) -> None:
        super().__init__(configuration)
        self._backing = backing
        self._logins = logins

    def _sleep_for_constant_exec_time(self, time_ns_begin: int) -> None:
        """Does not sleep: `Logins` slows down by itself, and bounds how many threads wait."""

    def get_external_login(self, environ: Mapping[str, Any]) -> tuple[()] | tuple[str, str]:
        """The user whom a trusted proxy has logged in, where the configuration says that one does."""
        kind = self._backing.configuration().auth.type
        if kind is AuthType.HTTP_X_REMOTE_USER:
            if not environ.get("calbridge.proxy_trusted"):
                return ("", "")
            return (self._named_by_the_proxy(environ.get("HTTP_X_REMOTE_USER", "")), "")
        return ()

    def _named_by_the_proxy(self, said: str) -> str:
        """The user in `SECRET:USER`, or nobody.

        `X_Remote_User` of a client arrives under the same name as `X-Remote-User` of the proxy and may replace it
        (PEP 3333 keeps no difference), so the value itself proves who wrote it.
        """
        secret = self._backing.configuration().auth.proxy_secret
        given, _, user = said.rpartition(":")
        if secret is None or not secret.get_secret_value():
            return ""
        expected = secret.get_secret_value().encode()
        return user if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected) else ""

    def _login_ext(self, login: str, password: str, context: Any) -> str:
        if self._backing.configuration().auth.type is AuthType.HTTP_X_REMOTE_USER:
            return login if login in self._backing.configuration().users else ""
        verified = self._logins.verify(login, password, address=context.remote_addr or "unknown")
        return login if verified else ""


class Rights(rights.BaseRights):
    """Radicale's rights plugin: each user sees their own home, and in it what they are granted."""

    def __init__(self, configuration: RadicaleConfiguration, *, backing: Backing) -> None:
        super().__init__(configuration)
        self._backing = backing

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:  # noqa: ARG002 -- plugin API
        """Radicale's letters for what `user` may do at `path`: R and r read, W and w write, D delete."""
        if not user:
            return ""
        place = Place.of(path)
        if place is None or not place.calendar:
            return "R" if path == "/" or (place is not None and place.user == user) else ""
        calendar = self._backing.calendar(user, place.calendar)
        if calendar is None or place.user != user or place.href:
            return ""
        if calendar.resource is None:
            return "rwD"
        return "rw" if calendar.is_writable else "r"
