"""One YAML file says what is served; `load` reads it, and refuses it with every fault at once."""

from bridge.config.connections import Connection, ConnectionType
from bridge.config.feeds import Feed
from bridge.config.load import fingerprint, load
from bridge.config.locations import Database, Dialect
from bridge.config.model import Account, Configuration, Grant, Kind, Resource, User, files
from bridge.config.rules import Guard, Pull, Push, Rule, Window
from bridge.config.server import Auth, AuthType, Limits, Server, Tls
from bridge.config.targets import connection_for, read_target, rule_target
from bridge.config.values import Listen, Scope, Size, write_duration

__all__ = [
    "Account",
    "Auth",
    "AuthType",
    "Configuration",
    "Connection",
    "ConnectionType",
    "Database",
    "Dialect",
    "Feed",
    "Grant",
    "Guard",
    "Kind",
    "Limits",
    "Listen",
    "Pull",
    "Push",
    "Resource",
    "Rule",
    "Scope",
    "Server",
    "Size",
    "Tls",
    "User",
    "Window",
    "connection_for",
    "files",
    "fingerprint",
    "load",
    "read_target",
    "rule_target",
    "write_duration",
]
