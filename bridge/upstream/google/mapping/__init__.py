"""Appointments become events of Google Calendar, and events appointments: pure, without any request or clock.

`to_google` says what Google is to keep of an object, `from_google` reads what it keeps, `changed` compares two bodies
that `to_google` made, and `generated` tells the body of an instance that nobody has changed.
"""

from bridge.upstream.google.mapping import marks
from bridge.upstream.google.mapping.changes import changed
from bridge.upstream.google.mapping.instance import generated
from bridge.upstream.google.mapping.reading import from_google
from bridge.upstream.google.mapping.whole import Body, Event, Means, Note, NotReadable, Whole
from bridge.upstream.google.mapping.writing import to_google

__all__ = [
    "Body",
    "Event",
    "Means",
    "NotReadable",
    "Note",
    "Whole",
    "changed",
    "from_google",
    "generated",
    "marks",
    "to_google",
]
