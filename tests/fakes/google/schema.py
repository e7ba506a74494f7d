"""Holds every request and answer against the discovery document of the API, which the client library carries.

Checked are names, types, formats and enumerations, also those that stand only in the prose of a description.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Check = Callable[[Any, str, bool], Iterator[str]]

_FORMATS = {
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "int64": re.compile(r"-?\d+"),
    "uint64": re.compile(r"\d+"),
}
# A time that is sent may leave its offset to `timeZone` (EventDateTime.dateTime).
_SENT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_OPEN = frozenset({"any"})


@cache
def document() -> dict[str, Any]:
    """The discovery document."""
    path = files("googleapiclient.discovery_cache.documents") / "calendar.v3.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@cache
def methods() -> Mapping[str, Mapping[str, Any]]:
    """Every method by its id, such as `calendar.events.list`."""
    return {
        method["id"]: method for resource in document()["resources"].values() for method in resource["methods"].values()
    }


def faults_of(schema: str, value: object, *, removals: bool = False) -> list[str]:
    """What is wrong with a value of this schema; empty where nothing is.

    Args:
        schema: Name of a schema of the document.
        value: What was sent, or is to be.
        removals: null may stand for every value, as in the body of a PATCH.
    """
    return list(_named(schema)(value, schema, removals))


def query_faults(method: str, given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What is wrong with the query parameters of a method, by parameter."""
    known = {**document()["parameters"], **methods()[method].get("parameters", {})}
    faults = {}
    for name, values in given.items():
        told = known.get(name)
        if told is None:
            faults[name] = f"Unknown name {name!r}: cannot bind query parameter."
        elif len(values) > 1 and not told.get("repeated"):
            faults[name] = f"Parameter {name!r} is given more than once."
        else:
            found = [fault for value in values if (fault := _parameter_fault(told, value))]
            faults |= {name: found[0]} if found else {}
    return faults


def _parameter_fault(told: Mapping[str, Any], value: str) -> str:
    if told["type"] == "boolean" and value not in {"true", "false"}:
        return f"Invalid boolean value: {value!r}."
    if told["type"] == "integer":
        if not re.fullmatch(r"-?\d+", value):
            return f"Invalid integer value: {value!r}."
        if int(value) < int(told.get("minimum", value)) or int(value) > int(told.get("maximum", value)):
            return f"Invalid value {value!r}: out of range."
    if "enum" in told and value not in told["enum"]:
        return f"Invalid value {value!r}: allowed are {told['enum']}."
    return ""


@cache
def _named(name: str) -> Check:
    return _compiled(document()["schemas"][name])


def _compiled(schema: Mapping[str, Any]) -> Check:
    if "$ref" in schema:
        name = schema["$ref"]

        def named(value: Any, path: str, removals: bool) -> Iterator[str]:  # noqa: FBT001 -- one of a family
            # Looked up when it is needed: a schema may hold itself.
            return _named(name)(value, path, removals)

        return named
    kind = schema.get("type", "any")
    if kind in _OPEN:
        return lambda _value, _path, _removals: iter(())
    inner = _inner(schema)
    wanted = _TYPES[kind]
    pattern = _FORMATS.get(schema.get("format", "")) if kind == "string" else None
    sent = _SENT_TIME if schema.get("format") == "date-time" else pattern or _SENT_TIME
    allowed = _allowed(schema) if kind == "string" else None

    def check(value: Any, path: str, removals: bool) -> Iterator[str]:  # noqa: FBT001 -- one of a family of functions
        if value is None and removals:
            return
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{path}: {value!r} is no {kind}"
        elif pattern is not None and (sent if removals else pattern).fullmatch(str(value)) is None:
            yield f"{path}: {value!r} is no {schema['format']}"
        elif allowed is not None and value not in allowed:
            yield f"{path}: {value!r} is none of {sorted(allowed)}"
        else:
            yield from inner(value, path, removals)

    return check


def _inner(schema: Mapping[str, Any]) -> Check:
    if schema.get("type") == "array":
        item = _compiled(schema["items"])

        def of_items(value: Any, path: str, removals: bool) -> Iterator[str]:  # noqa: FBT001 -- one of a family
            for index, each in enumerate(value):
                yield from item(each, f"{path}[{index}]", removals)

        return of_items
    if schema.get("type") != "object":
        return lambda _value, _path, _removals: iter(())
    known = {name: _compiled(each) for name, each in schema.get("properties", {}).items()}
    rest = _compiled(schema["additionalProperties"]) if "additionalProperties" in schema else None

    def of_fields(value: Any, path: str, removals: bool) -> Iterator[str]:  # noqa: FBT001 -- one of a family
        for name, each in value.items():
            check = known.get(name, rest)
            if check is None:
                yield f"{path}.{name}: no such field"
            else:
                yield from check(each, f"{path}.{name}", removals)

    return of_fields


def _allowed(schema: Mapping[str, Any]) -> frozenset[str] | None:
    if "enum" in schema:
        return frozenset(schema["enum"])
    prose = schema.get("description", "")
    if "Possible values are" not in prose:
        return None
    named = re.findall(r'^- "([^"]+)"', prose, re.MULTILINE)
    return frozenset(named) if len(named) > 1 else None
