"""A section of the file takes the settings that it names, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

K = TypeVar("K")
V = TypeVar("V")

Frozen = Annotated[Mapping[K, V], AfterValidator(lambda entries: MappingProxyType(dict(entries)))]
"""Entries under keys that a person chose."""


class Settings(BaseModel):
    """A section of the file: it takes the settings that it names, and no others."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _take_an_empty_setting_for_an_absent_one(cls, given: Any) -> Any:
        # People comment the lines of a section out and leave its name: YAML reads that as null.
        if given is None:
            return {}
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value is not None or name not in cls.model_fields}
        return given
