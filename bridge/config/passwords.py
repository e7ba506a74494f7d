"""A password stands in the file as an Argon2 hash, and in the clear nowhere."""

from __future__ import annotations

import re
from typing import Annotated

import argon2
from pydantic import PlainValidator, SecretStr, WithJsonSchema

from bridge.config.values import BY_ENVIRONMENT
from bridge.config.words import refusal

LONGEST_PASSWORD = 1024
"""Characters; hashing more than this would be work that a stranger can order."""


def _password_hash(value: object) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and text.startswith("$argon2"):
        try:
            argon2.extract_parameters(text)
        except (argon2.exceptions.InvalidHashError, ValueError):
            pass
        else:
            return SecretStr(text)
    raise refusal("an Argon2 hash ($argon2id$...), as `calbridge user password NAME` writes it")


def _plain_password(value: object) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_PASSWORD or not text.isprintable():
        raise refusal(f"a password of 1 to {LONGEST_PASSWORD} characters, on one line")
    return SecretStr(text)


SHORTEST_PROXY_SECRET = 24
"""Characters; a stranger may try as many as they like."""


def _proxy_secret(value: object) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    # A quote, a blank or a variable of the proxy's own would arrive as something else.
    if not isinstance(text, str) or not re.fullmatch(rf"[A-Za-z0-9_-]{{{SHORTEST_PROXY_SECRET},256}}", text):
        raise refusal(
            f"{SHORTEST_PROXY_SECRET} to 256 random letters and digits, as `openssl rand -hex 32` writes them"
        )
    return SecretStr(text)


PasswordHash = Annotated[
    SecretStr,
    PlainValidator(_password_hash),
    WithJsonSchema({"type": "string", "pattern": rf"^(\$argon2|{BY_ENVIRONMENT})"}),
]
PlainPassword = Annotated[
    SecretStr, PlainValidator(_plain_password), WithJsonSchema({"type": "string", "pattern": BY_ENVIRONMENT})
]
ProxySecret = Annotated[
    SecretStr, PlainValidator(_proxy_secret), WithJsonSchema({"type": "string", "pattern": BY_ENVIRONMENT})
]
