"""The only place that wires: reads clock and environment, opens the store, and hands everything to the faces."""

from bridge.bootstrap.logins import consent_of, login_of
from bridge.bootstrap.logs import log_to_stderr
from bridge.bootstrap.serving import serve
from bridge.bootstrap.site import (
    LISTEN_VARIABLE,
    Site,
    initialise,
    listen_address,
    now,
    open_site,
    owner_name,
    read_configuration,
)
from bridge.bootstrap.syncing import office_of, work_alone, worker_of
from bridge.bootstrap.tokens import SealedTokens, tokens_name
from bridge.bootstrap.upstreams import Connections, password_of, sealed_name
from bridge.bootstrap.worker import application

__all__ = [
    "LISTEN_VARIABLE",
    "Connections",
    "SealedTokens",
    "Site",
    "application",
    "consent_of",
    "initialise",
    "listen_address",
    "log_to_stderr",
    "login_of",
    "now",
    "office_of",
    "open_site",
    "owner_name",
    "password_of",
    "read_configuration",
    "sealed_name",
    "serve",
    "tokens_name",
    "work_alone",
    "worker_of",
]
