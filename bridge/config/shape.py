"""The models can be asked which settings may stand at a place of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from bridge.config.model import Document
from bridge.config.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from bridge.config.problems import Place

ANY = "*"
"""Stands in a place for the key that a person chose."""


def settings_at(place: Place) -> Mapping[str, FieldInfo]:
    """The settings that the section at `place` takes; none where it is no section of fixed settings."""
    model: type[Settings] | None = Document
    steps = iter(place)
    for step in steps:
        field = model.model_fields.get(str(step)) if model else None
        if field is None:
            return {}
        model = _section(field.annotation)
        if model and _is_keyed(field.annotation):
            next(steps, None)
    return model.model_fields if model else {}


def walk(model: type[Settings] = Document, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Every setting with its place, sections before what stands in them."""
    for name, field in model.model_fields.items():
        here = (*place, name)
        yield here, field
        section = _section(field.annotation)
        if section:
            yield from walk(section, (*here, ANY) if _is_keyed(field.annotation) else here)


def _section(annotation: Any) -> type[Settings] | None:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((found for each in get_args(annotation) if (found := _section(each))), None)


def _is_keyed(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return origin is Mapping or any(_is_keyed(each) for each in get_args(annotation))
