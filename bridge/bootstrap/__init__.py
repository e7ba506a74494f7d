"""The only place that wires: reads clock and environment, opens the store, and hands everything to the faces."""

from bridge.bootstrap.logs import log_to_stderr
from bridge.bootstrap.serving import serve
from bridge.bootstrap.site import Site, initialise, listen_address, now, open_site, read_configuration
from bridge.bootstrap.worker import application

__all__ = [
    "Site",
    "application",
    "initialise",
    "listen_address",
    "log_to_stderr",
    "now",
    "open_site",
    "read_configuration",
    "serve",
]
