"""What the configuration says about a rule becomes what the core understands."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.core.decision import Acts, Options
from bridge.core.guard import Guard
from bridge.core.origin import Origin
from bridge.core.sides import Side
from bridge.core.view import View
from bridge.core.window import Window
from bridge.sync.assignment import Terms
from bridge.sync.views import Views

if TYPE_CHECKING:
    from bridge.config import Configuration
    from bridge.config.rules import Pull, Push, Rule

_WITHOUT_LIMIT = timedelta(days=3_000_000)


def terms_of(configuration: Configuration, key: str) -> Terms:
    """What the configuration says about the rule `key`.

    Raises:
        NotFound: There is no such rule.
    """
    rule = configuration.rule(key)
    resource = configuration.resource(str(rule.resource))
    return Terms(
        options=Options(
            direction=rule.direction,
            push=_acts(rule.push),
            pull=_acts(rule.pull),
            existing=rule.existing,
            attendees=rule.attendees,
            on_conflict=rule.on_conflict,
        ),
        views=_views(rule),
        window=Window(rule.window.past or _WITHOUT_LIMIT, rule.window.future or _WITHOUT_LIMIT),
        guard=Guard(rule.guard.objects, rule.guard.percent),
        zone=resource.time_zone,
        holds=frozenset(resource.components),
        max_object=int(configuration.limits.max_object),
        poll=rule.poll,
    )


def fingerprint(terms: Terms) -> str:
    """Differs as soon as the options of a rule do, so that everything is compared once more under the new ones."""
    parts = (terms.options, terms.views.text(), terms.window)
    return sha256(repr(parts).encode()).hexdigest()[:32]


def origin_of(secret: bytes, key: str, target: str) -> Origin:
    """The mark of a rule."""
    return Origin.of(secret, rule=key, target=target)


def _acts(section: Push | Pull) -> Acts:
    return Acts(create=section.create, update=section.update, delete=section.delete)


def _views(rule: Rule) -> Views:
    return Views(
        out=View(
            towards=Side.THERE,
            detail=rule.push.detail,
            attendees=rule.attendees,
            components=frozenset(rule.push.components),
            categories=frozenset(rule.push.categories),
        ),
        into=View(
            towards=Side.HERE,
            detail=rule.pull.detail,
            attendees=rule.attendees,
            components=frozenset(rule.pull.components),
            categories=frozenset(rule.pull.categories),
            free=rule.pull.free,
            all_day=rule.pull.all_day,
            special=rule.pull.special,
        ),
    )
