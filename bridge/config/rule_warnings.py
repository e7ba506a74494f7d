"""A rule or a connection can be right and still not do what its writer expects: said as a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config.remote_urls import is_loopback
from bridge.core.decision import Existing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config.model import Document
    from bridge.config.problems import Place
    from bridge.config.rules import Rule


def rule_warnings(document: Document) -> Iterator[tuple[Place, str]]:
    """The settings to look at again, each with a sentence."""
    for name, connection in document.connections.items():
        if connection.url.lower().startswith("http://") and connection.user and not is_loopback(connection.url):
            sentence = "the password goes over the network for everyone to read; https:// keeps it to the two sides"
            yield ("connections", name, "url"), sentence
    for name, rule in document.rules.items():
        yield from _without_effect(("rules", name), rule)
        held = document.accounts[rule.resource.account].resources[rule.resource.resource].components
        ways = {"push": rule.push.components} if rule.direction.pushes else {}
        ways |= {"pull": rule.pull.components} if rule.direction.pulls else {}
        for way, components in ways.items():
            for each in components:
                if each not in held:
                    yield ("rules", name, way, "components"), f"{rule.resource} holds no {each}, so none goes this way"


def _without_effect(place: Place, rule: Rule) -> Iterator[tuple[Place, str]]:
    because = f"has no effect, as the direction is {rule.direction}"
    for way, used in (("push", rule.direction.pushes), ("pull", rule.direction.pulls)):
        if not used and getattr(rule, way).model_fields_set:
            yield (*place, way), because
    unused = {Existing.SEND: not rule.direction.pushes, Existing.FETCH: not rule.direction.pulls}
    if unused.get(rule.existing, False):
        yield (*place, "existing"), f"{rule.existing} {because}"
