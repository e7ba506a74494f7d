"""One YAML file says what is served; `load` reads it, and refuses it with every fault at once."""

from bridge.config.load import fingerprint, load
from bridge.config.locations import Database, Dialect
from bridge.config.model import (
    Account,
    Auth,
    AuthType,
    Configuration,
    Detail,
    Feed,
    Grant,
    Kind,
    Limits,
    Resource,
    Server,
    Tls,
    User,
    files,
)
from bridge.config.values import Listen, Scope, Size, write_duration

__all__ = [
    "Account",
    "Auth",
    "AuthType",
    "Configuration",
    "Database",
    "Detail",
    "Dialect",
    "Feed",
    "Grant",
    "Kind",
    "Limits",
    "Listen",
    "Resource",
    "Scope",
    "Server",
    "Size",
    "Tls",
    "User",
    "files",
    "fingerprint",
    "load",
    "write_duration",
]
