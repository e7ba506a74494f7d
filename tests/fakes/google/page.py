"""A page at /ui on which a person sees a week of the fake, and adds, moves, edits and deletes events by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request

from tests.fakes.google.by_hand import ByHand
from tests.fakes.google.refusal import Refused
from tests.fakes.google.times import zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from tests.fakes.google.state import World

_PIXELS_PER_MINUTE = 40 / 60
_LOWEST = 14
_DAY = timedelta(days=1)


def page(world: World) -> Blueprint:
    """The page; it asks for no login, as it stands on loopback and shows nothing real."""
    pages = Blueprint("page", __name__)

    @pages.route("/")
    def begin() -> ResponseReturnValue:
        return redirect("/ui")

    @pages.route("/ui", methods=["GET", "POST"])
    def week() -> ResponseReturnValue:
        with world.lock:
            view = _View(world, request.args)
            if request.method == "GET":
                return view.render()
            try:
                view.do(request.form)
            except (Refused, ValueError) as error:
                return view.render(wrong=getattr(error, "message", "") or str(error) or "Google refuses this."), 400
            return redirect(view.here())

    return pages


class _View:
    """A week of a calendar as one user sees it."""

    def __init__(self, world: World, asked: Mapping[str, str]) -> None:
        self._world = world
        people = [each for each in world.people.values() if not each.email.endswith("gserviceaccount.com")]
        self._people = people
        self._user = asked.get("user") or (people[0].email if people else "")
        self._hand = ByHand(world, self._user, asked.get("calendar") or "primary")
        self._calendar = world.seen_by(self._user, self._hand.id)
        self._zone = zone_of(self._calendar.zone)
        self._today = world.clock().astimezone(self._zone).date()
        day = date.fromisoformat(asked["week"]) if asked.get("week") else self._today
        self._monday = day - timedelta(days=day.weekday())
        self._chosen = asked.get("event", "")

    def here(self, **said: str) -> str:
        """The address of this week, with changes."""
        base = {"user": self._user, "calendar": self._hand.id, "week": self._monday.isoformat()}
        return "/ui?" + urlencode(base | said)

    def render(self, wrong: str = "") -> str:
        """The page."""
        last = self._monday + timedelta(days=6)
        return render_template(
            "week.html",
            people=self._people,
            user=self._user,
            calendar=self._calendar,
            calendars=[self._world.calendars[each] for each in self._world.people[self._user].listed],
            days=[self._day(self._monday + timedelta(days=n)) for n in range(7)],
            title=f"{self._monday:%-d %b} - {last:%-d %b %Y}",
            now=self._today.isoformat(),
            before=(self._monday - timedelta(days=7)).isoformat(),
            later=(self._monday + timedelta(days=7)).isoformat(),
            here=self.here,
            form=self._form(),
            wrong=wrong,
        )

    def do(self, said: Mapping[str, str]) -> None:
        """What a form asks for.

        Raises:
            Refused: As the interface would.
        """
        event_id, scope = said.get("id", ""), said.get("scope", "this")
        if said["do"] == "move":
            self._move(event_id, datetime.fromisoformat(said["start"]))
        elif said["do"] == "delete":
            master = self._hand.get(event_id).get("recurringEventId", event_id)
            if scope == "following":
                self._hand.cut(event_id)
            else:
                self._hand.delete(master if scope == "all" else event_id)
        else:
            body = self._body(said)
            if not event_id:
                self._hand.put({name: value for name, value in body.items() if value})
            elif scope == "following":
                self._hand.split(event_id, **body)
            else:
                self._edit(event_id, body, whole=scope == "all")

    def _edit(self, event_id: str, body: dict[str, Any], *, whole: bool) -> None:
        event = self._hand.get(event_id)
        master = event.get("recurringEventId")
        if whole and master:
            # The times that were edited are those of the instance: the series moves by as much.
            series = self._hand.get(master)
            for name in ("start", "end"):
                body[name] = _moved(series[name], _instant(body[name]) - _instant(event[name]))
            event_id = master
        self._hand.edit(event_id, body)

    def _move(self, event_id: str, start: datetime) -> None:
        event = self._hand.get(event_id)
        length = _instant(event["end"]) - _instant(event["start"])
        zone = event["start"]["timeZone"]
        begin = start.replace(tzinfo=self._zone)
        times = {"start": begin, "end": begin + length}
        self._hand.edit(event_id, {name: {"dateTime": at.isoformat(), "timeZone": zone} for name, at in times.items()})

    def _body(self, said: Mapping[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {name: said.get(name) or None for name in ("summary", "location", "description")}
        for name in ("start", "end"):
            at = datetime.fromisoformat(said[name])
            if "whole" in said:
                day = at.date() + (_DAY if name == "end" else timedelta())
                body[name] = {"date": day.isoformat(), "dateTime": None, "timeZone": None}
            else:
                body[name] = {
                    "dateTime": at.isoformat(timespec="seconds"),
                    "timeZone": self._calendar.zone,
                    "date": None,
                }
        if "rule" in said:
            body["recurrence"] = [f"RRULE:{said['rule']}"] if said["rule"] else None
        return body

    def _form(self) -> dict[str, Any]:
        """What the form shows: the event that was chosen, or a new one."""
        begin = datetime.combine(max(self._today, self._monday), datetime.min.time()).replace(hour=9)
        empty = {"id": "", "start": _local(begin), "end": _local(begin + timedelta(hours=1))}
        if not self._chosen:
            return empty
        try:
            event = self._hand.get(self._chosen)
        except Refused:
            return empty
        whole = "date" in event["start"]
        start, end = self._wall(event["start"]), self._wall(event["end"])
        return {
            **{name: event.get(name, "") for name in ("id", "summary", "location", "description", "etag")},
            "whole": whole,
            "start": _local(start),
            "end": _local(end - _DAY if whole else end),
            "series": event.get("recurringEventId", ""),
            "rule": next((line[6:] for line in event.get("recurrence", ()) if line.startswith("RRULE")), ""),
        }

    def _day(self, day: date) -> dict[str, Any]:
        begin = datetime.combine(day, datetime.min.time())
        events = self._hand.between(begin.replace(tzinfo=self._zone), (begin + _DAY).replace(tzinfo=self._zone))
        timed = [each for each in events if "dateTime" in each["start"]]
        return {
            "name": f"{day:%a}",
            "number": day.day,
            "date": day.isoformat(),
            "today": day == self._today,
            "whole": [self._block(each) for each in events if "date" in each["start"]],
            "timed": _side_by_side([self._block(each) | self._place(each, begin) for each in timed]),
        }

    def _block(self, event: Mapping[str, Any]) -> dict[str, Any]:
        look = ["free"] if event.get("transparency") == "transparent" else []
        look += ["special"] if event["eventType"] != "default" else []
        look += ["chosen"] if event["id"] == self._chosen else []
        return {"id": event["id"], "title": event.get("summary", "(No title)"), "look": " ".join(look)}

    def _place(self, event: Mapping[str, Any], begin: datetime) -> dict[str, Any]:
        start, end = self._wall(event["start"]), self._wall(event["end"])
        first = max(0, (start - begin).total_seconds() / 60)
        last = min(24 * 60, (end - begin).total_seconds() / 60)
        return {
            "top": round(first * _PIXELS_PER_MINUTE),
            "height": max(_LOWEST, round((last - first) * _PIXELS_PER_MINUTE) - 1),
            "span": f"{start:%H:%M} - {end:%H:%M}",
        }

    def _wall(self, when: Mapping[str, str]) -> datetime:
        """The time on the wall of the calendar's zone."""
        if "date" in when:
            return datetime.combine(date.fromisoformat(when["date"]), datetime.min.time())
        return datetime.fromisoformat(when["dateTime"]).astimezone(self._zone).replace(tzinfo=None)


def _local(at: datetime) -> str:
    return at.isoformat(timespec="minutes")


def _instant(when: Mapping[str, Any]) -> datetime:
    if when.get("date"):
        return datetime.combine(date.fromisoformat(when["date"]), datetime.min.time(), zone_of("UTC"))
    at = datetime.fromisoformat(when["dateTime"])
    return at if at.tzinfo else at.replace(tzinfo=zone_of(when["timeZone"]))


def _moved(when: Mapping[str, str], by: timedelta) -> dict[str, Any]:
    if "date" in when:
        return {"date": (date.fromisoformat(when["date"]) + by).isoformat()}
    wall = datetime.fromisoformat(when["dateTime"]).astimezone(zone_of(when["timeZone"])).replace(tzinfo=None)
    return {"dateTime": (wall + by).isoformat(timespec="seconds"), "timeZone": when["timeZone"]}


def _side_by_side(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives events that overlap, also by way of others, a part of the day's width each."""
    lanes: list[int] = []
    together: list[dict[str, Any]] = []
    for block in sorted(blocks, key=lambda each: each["top"]):
        if block["top"] >= max(lanes, default=0):
            lanes, together = [], []
        lane = next((n for n, free in enumerate(lanes) if free <= block["top"]), len(lanes))
        lanes[lane:] = [block["top"] + block["height"], *lanes[lane + 1 :]]
        block["lane"] = lane
        together.append(block)
        for each in together:
            each |= {"left": round(100 * each["lane"] / len(lanes), 1), "width": round(98 / len(lanes), 1)}
    return blocks
