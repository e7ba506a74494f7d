"""Radicale as we host it: our storage, auth, rights and request methods under one configuration of theirs."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

import structlog
from radicale import auth
from radicale import config as radicale_config
from radicale.log import logger as radicale_logger

from bridge.config import AuthType
from bridge.radicale_plugin.access import Auth, Logins, Rights
from bridge.radicale_plugin.application import Application
from bridge.radicale_plugin.storage import Storage

if TYPE_CHECKING:
    from bridge.config import Configuration
    from bridge.radicale_plugin.backing import Backing

_log = structlog.get_logger()
_FOREIGN = {AuthType.LDAP: "ldap", AuthType.HTPASSWD: "htpasswd"}


def application(backing: Backing) -> Application:
    """The CalDAV face as a WSGI application, to be mounted under `/dav`.

    Args:
        backing: Store and configuration. Limits, users and resources are read anew for each request; the kind of
            authentication is fixed until the next start.
    """
    configuration = backing.configuration()
    # One line for each request is the web server's business, and ours are events with fields.
    radicale_logger.setLevel(logging.ERROR)
    radicale_logger.handlers[:] = [_AsEvents()]
    radicale_logger.propagate = False
    settings = radicale_config.load()
    foreign = _foreign_auth(configuration)
    logins = Logins(backing, foreign=foreign)
    settings.update(
        {
            "server": {
                # A thread that sleeps answers nobody.
                "delay_on_error": "0",
                "max_content_length": str(configuration.limits.max_body * 2),
                "max_resource_size": str(int(configuration.limits.max_object)),
                "validate_path_value": "none",
                "validate_user_value": "none",
            },
            "auth": {
                "type": functools.partial(Auth, backing=backing, logins=logins),
                "delay": "0",
                "realm": "Calbridge",
            },
            "rights": {
                "type": functools.partial(Rights, backing=backing),
                "permit_delete_collection": "False",
                "permit_overwrite_collection": "False",
            },
            "storage": {"type": functools.partial(Storage, backing=backing)},
            "web": {"type": "none"},
            "reporting": {
                "max_expand_occurrence": str(configuration.limits.max_instances),
                "max_freebusy_occurrence": str(configuration.limits.max_instances),
            },
        },
        "calbridge",
        privileged=True,
    )
    return Application(settings, backing=backing)


class _AsEvents(logging.Handler):
    """Writes what Radicale says as an event of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one event, whatever the lines of the record."""
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        _log.error("radicale_said", sentence=record.getMessage(), module=record.module, trace=trace)


def _foreign_auth(configuration: Configuration) -> auth.BaseAuth | None:
    """Radicale's own auth plugin, where the configuration names one."""
    name = _FOREIGN.get(configuration.auth.type)
    if name is None:
        return None
    settings = radicale_config.load()
    settings.update(
        {
            "auth": {
                "type": name,
                "delay": "0",
                **{key: str(value) for key, value in configuration.auth.options.items()},
            }
        },
        "calbridge auth.options",
        privileged=True,
    )
    return auth.load(settings)
