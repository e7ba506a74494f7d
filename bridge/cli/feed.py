"""`feed`: the secret addresses that people subscribe to, and who fetches them how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.config import write_duration
from bridge.store import feed_record

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.feed_record import FeedFetch


@click.group()
def feed() -> None:
    """The secret addresses that people subscribe to."""


@feed.command("list")
@with_config
@with_json
def list_feeds(config: Path, *, as_json: bool) -> None:
    """Show every feed with its address, and when which program last fetched it."""
    site = opened(config)
    feeds = site.configuration.feeds
    with site.database.reading() as tx:
        fetches = feed_record.fetches(tx)
    if as_json:
        screen.document({"feeds": [_as_json(site, name, fetches) for name in feeds]})
        return
    if not feeds:
        screen.say("The configuration has no feeds yet: add some under `feeds`, such as `anna: {of: office/anna}`.")
    for number, (name, found) in enumerate(feeds.items()):
        if number:
            screen.say()
        screen.say(f"{name}: {found.of}, {found.detail}, {_window(site, name)}")
        screen.say(f"  {site.feed_url(name)}")
        zone = site.configuration.account(found.of.account).time_zone
        rows = [
            (
                f"  {each.client}",
                f"last fetched {screen.when(each.at, zone)}",
                screen.how_often(each.interval) if each.interval else "once so far",
            )
            for each in fetches
            if each.feed == name
        ]
        if rows:
            screen.table(("", "", ""), rows)
        else:
            screen.say("  never fetched yet")


def _window(site: Site, name: str) -> str:
    found = site.configuration.feeds[name]
    return f"from {write_duration(found.past)} back to {write_duration(found.future)} ahead"


def _as_json(site: Site, name: str, fetches: list[FeedFetch]) -> dict[str, object]:
    found = site.configuration.feeds[name]
    return {
        "name": name,
        "of": str(found.of),
        "detail": str(found.detail),
        "past": write_duration(found.past),
        "future": write_duration(found.future),
        "url": site.feed_url(name),
        "fetches": [
            {"client": each.client, "at": each.at, "interval_seconds": each.interval, "count": each.count}
            for each in fetches
            if each.feed == name
        ],
    }


@feed.command()
@click.argument("name")
@with_config
@with_json
def url(name: str, config: Path, *, as_json: bool) -> None:
    """Print the secret address of one feed."""
    found = opened(config).feed_url(name)
    if as_json:
        screen.document({"name": name, "url": found})
        return
    screen.say(found)


@feed.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask")
@with_config
@with_json
def rotate(name: str, config: Path, *, yes: bool, as_json: bool) -> None:
    """Give a feed a new address; whoever has the old one gets nothing more."""
    site = opened(config)
    site.configuration.feed(name)
    if not yes:
        click.confirm(f"Everybody who subscribes to {name!r} needs the new address then. Go on?", abort=True, err=True)
    with site.database.writing() as tx:
        feed_record.rotate(tx, name)
        feed_record.forget(tx, name)
    fresh = site.feed_url(name)
    if as_json:
        screen.document({"name": name, "url": fresh})
        return
    screen.say("The old address is dead. The new one:")
    screen.say(fresh)
