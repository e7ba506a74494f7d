"""A feed shows a resource or an account to whoever has its secret URL."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from bridge.config.settings import Settings
from bridge.config.values import Component, ScopeName, Stretch, Switch, Text, choice
from bridge.core.model import ComponentType
from bridge.core.view import Detail


class Feed(Settings):
    """A secret-URL ICS view of a resource or of a whole account.

    Attributes:
        past: How far back the window reaches; None is without limit.
        future: How far ahead the window reaches; None is without limit.
        categories: Only these are shown; empty shows all.
        name: Its own, or the name of the resource or account that it shows.
    """

    of: ScopeName = Field(description="ACCOUNT/RESOURCE, or ACCOUNT for all of its resources")
    detail: Annotated[Detail, *choice(Detail)] = Field(
        default=Detail.FULL, description="full, titles, or busy times only"
    )
    past: Stretch = Field(default=timedelta(days=90), description="how far back it reaches; `all` has no limit")
    future: Stretch = Field(default=timedelta(days=730), description="how far ahead it reaches; `all` has no limit")
    components: Annotated[tuple[Component, ...], Field(min_length=1)] = Field(
        default=(ComponentType.VEVENT, ComponentType.VTODO), description="what it shows: VEVENT, VTODO"
    )
    categories: tuple[Text, ...] = Field(default=(), description="shows only these categories; empty shows all")
    alarms: Switch = Field(default=False, description="whether the alarms of appointments are passed on")
    name: Text = Field(default_factory=str, validate_default=False, description="calendar name that subscribers see")
