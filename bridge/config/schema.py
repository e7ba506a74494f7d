"""Editors check and complete a configuration by a JSON Schema that comes from the models.

`python -m bridge.config.schema > config/bridge.schema.json` writes it anew.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from bridge.config.locations import Database
from bridge.config.model import Document
from bridge.config.values import Listen, Size, write_duration

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITTEN: dict[type, Callable[[Any], str]] = {
    timedelta: write_duration,
    Size: str,
    Listen: str,
    Path: str,
    Database: lambda database: database.shown,
}


class _Schema(GenerateJsonSchema):
    """Writes defaults as a person writes them in the file."""

    def encode_default(self, dft: Any) -> Any:
        return written(dft)


def written(value: Any) -> Any:
    """`value` as it stands in a YAML file: '90d', '20MiB', '127.0.0.1:5232'."""
    for kind, write in _WRITTEN.items():
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, tuple):
        return [written(each) for each in value]
    return value


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the configuration file."""
    schema = Document.model_json_schema(schema_generator=_Schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_tidy(schema),
        "title": "Calbridge configuration",
    }


def schema_text() -> str:
    """The text of `config/bridge.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(part: Any, *, names: bool = False) -> Any:
    # Generated titles only repeat the names; the docstrings speak to programmers, the settings have their own line.
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if names or key != "title"}
        if kept.get("type") == "object" and "properties" in kept and not names:
            kept["description"] = str(kept.get("description", "")).partition("\n")[0]
        if "patternProperties" in kept and not names:
            kept["additionalProperties"] = False
        return {key: _tidy(value, names=key in {"properties", "$defs"} and not names) for key, value in kept.items()}
    return [_tidy(each) for each in part] if isinstance(part, list) else part


if __name__ == "__main__":
    sys.stdout.write(schema_text())
