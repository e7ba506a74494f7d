"""The main process: it starts the workers, replaces them, and ends them; it answers no request itself."""

from __future__ import annotations

import functools
import gc
import importlib
import multiprocessing
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import structlog
from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels

from bridge.bootstrap.logs import OF_THE_WEB_SERVER
from bridge.bootstrap.serving import read_for_workers
from bridge.bootstrap.worker import Start, work
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.config import Configuration, Tls
    from bridge.store.sealed import KeyFile

_log = structlog.get_logger()

_ENDING = {signal.SIGINT, signal.SIGTERM}
_GRACE_SECONDS = 30
_TOLD_AGAIN_SECONDS = 5.0
_OVERLAP_SECONDS = 2.0
_ASK_EVERY_SECONDS = 0.02
_OWN = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- asked, not opened


class Supervisor(Granian):  # type: ignore[misc,valid-type,unused-ignore]
    """Serves a configuration with as many workers as it wants.

    Args:
        configuration: With which the server starts.
        keys: Of its key file.
        started: Called once, in a thread of its own, when the server takes connections.

    Raises:
        ConfigurationError: There is no such address to listen on.
    """

    def __init__(self, configuration: Configuration, keys: KeyFile, *, started: Callable[[], None] | None) -> None:
        server = configuration.server
        self._address = _resolved(server.listen.host)
        super().__init__(
            "bridge.bootstrap:application",
            interface=Interfaces.WSGI,
            address=self._address,
            port=server.listen.port,
            workers=server.workers,
            blocking_threads=server.threads,
            websockets=False,
            log_level=LogLevels.error,
            log_dictconfig=OF_THE_WEB_SERVER,
            respawn_failed_workers=True,
            respawn_interval=_OVERLAP_SECONDS,
            workers_kill_timeout=_GRACE_SECONDS,
        )
        self._first = self._now = configuration
        self._keys = keys
        self._started = started
        # Under nohup, the end of the terminal is not to be the end of the server.
        self._has_terminal = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        self._use_certificate(server.tls)

    def serve(self, *_: Any, **__: Any) -> None:
        """Serves until SIGTERM or SIGINT."""
        # A worker takes over what the main process has read, so that a file that is wrong for a moment cannot keep
        # it from starting.
        multiprocessing.set_start_method("fork", force=True)
        _let_ending_signals_wait_while_forking()
        _load_what_workers_share()
        # Each worker's loader is made in `_spawn_worker`; this one keeps granian from looking for another.
        super().serve(target_loader=work, wrap_loader=False)

    def _use_certificate(self, tls: Tls | None) -> None:
        # Outlook and Android telephones of some years ago speak no TLS 1.3.
        self.build_ssl_context(
            cert=tls.certificate if tls else None,
            key=tls.key if tls else None,
            password=None,
            proto=SSLProtocols.tls12,
            ca=None,
            crl=[],
            client_verify=False,
        )

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # noqa: ARG002 -- granian's form
        start = Start(self._now, self._first, self._keys, leads=idx == 0)
        return super()._spawn_worker(idx, target, functools.partial(work, start))

    def _spawn_workers(self, *args: Any, **kwargs: Any) -> None:
        super()._spawn_workers(*args, **kwargs)
        # Not before: a process with threads is no good to fork.
        threading.Thread(target=self._announce, name="announce", daemon=True).start()

    def _announce(self) -> None:
        listen = self._first.server.listen
        pause = threading.Event()
        while not _takes_connections(_OWN.get(self._address, self._address), listen.port):
            pause.wait(_ASK_EVERY_SECONDS)
        scheme = "https" if self._first.server.tls else "http"
        _log.info(
            "serving",
            address=f"{scheme}://{listen}{self._first.server.path_prefix}/",
            workers=self.workers,
            database=self._first.database.shown,
        )
        if self._started is not None:
            self._started()

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Replaces the workers; ends them where SIGHUP means what it says, that the terminal is gone."""
        if self._has_terminal and not _has_terminal():
            self.signal_handler_interrupt(*args, **kwargs)
        else:
            super().signal_handler_reload(*args, **kwargs)

    def _reload(self, *args: Any, **kwargs: Any) -> None:
        """Replaces the workers by fresh ones, unless these could not read their configuration."""
        try:
            self._now, self._keys = read_for_workers(self._first.path)
        except ConfigurationError as error:
            self.reload_signal = False
            self.main_loop_interrupt.clear()
            _log.error("configuration_refused", reason=str(error), problems=error.problems, kept="the one before")
            self._notice_an_end()
            return
        self.blocking_threads = self._now.server.threads
        self._use_certificate(self._now.server.tls)
        _log.info("replacing_workers", workers=self.workers)
        super()._reload(*args, **kwargs)

    def _notice_an_end(self) -> bool:
        """Wakes the loop for a signal to end that came while it was busy; gives whether one has."""
        if self.interrupt_signal:
            self.main_loop_interrupt.set()
        return bool(self.interrupt_signal)

    def _respawn_workers(self, *args: Any, **kwargs: Any) -> None:
        """Replaces workers that ended, unless they ended by the same Ctrl-C that ends the server."""
        if not self._notice_an_end():
            super()._respawn_workers(*args, **kwargs)

    def _stop_workers(self) -> None:
        # A worker that has just begun to serve can miss the signal, and would be waited for until it is killed.
        again = threading.Timer(
            _TOLD_AGAIN_SECONDS, lambda: [each.terminate() for each in self.wrks if each.is_alive()]
        )
        again.daemon = True
        again.start()
        try:
            super()._stop_workers()
        finally:
            again.cancel()

    def shutdown(self, exit_code: int = 0) -> None:
        """Ends the workers after what they are answering; that one ended first by the same Ctrl-C is no failure."""
        _log.info("stopping")
        try:
            super().shutdown(exit_code)
        except SystemExit:
            if not self.interrupt_signal:
                raise


def _resolved(host: str) -> str:
    """The address of `host`, which may be a name such as localhost; granian takes addresses alone."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(
            f"server.listen: this machine finds no address for {host}.", remedy="Write the address itself."
        ) from error
    return str(found[0][4][0])


def _has_terminal() -> bool:
    """Whether a terminal stands behind this process, which a service manager's processes do not have."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _takes_connections(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _load_what_workers_share() -> None:
    """Workers start in no time, and share the memory of what is loaded before them."""
    for module in ("bridge.radicale_plugin.hosting", "bridge.web.pages", "bridge.wsgi"):
        importlib.import_module(module)
    gc.collect()
    # What the collector leaves alone is not copied for each worker.
    gc.freeze()


def _let_ending_signals_wait_while_forking() -> None:
    """A signal that came to a worker before it can answer would be lost; `work` lets it through."""
    masks: list[set[int | signal.Signals]] = []

    def before() -> None:
        masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING))

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.pop())

    os.register_at_fork(before=before, after_in_parent=after)
