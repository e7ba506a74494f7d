from __future__ import annotations

import pytest

from bridge.core.content import MASTER, Part, made
from bridge.core.content import read as content_of
from bridge.core.guests import address, listed, params, without_list
from tests.core.core_samples import read_event

LIST = "Guests:\n- Anna <anna@example.org>\n- berta@example.org"


def part(*content: str) -> Part:
    return content_of(read_event("DTSTART:20260714T090000Z", *content)).parts[MASTER]


@pytest.mark.parametrize(
    ("attendee", "entry"),
    [
        ("ATTENDEE;CN=Anna:mailto:anna@example.org", "- Anna <anna@example.org>"),
        ('ATTENDEE;ROLE=CHAIR;CN="de Vries, Anna":MAILTO:Anna@Example.org', "- de Vries, Anna <anna@example.org>"),
        ("ATTENDEE;CN=anna@example.org:mailto:anna@example.org", "- anna@example.org"),
        ("ATTENDEE:mailto:anna@example.org", "- anna@example.org"),
        ("ATTENDEE;CN=Anna;EMAIL=anna@example.org:urn:uuid:1", "- Anna <anna@example.org>"),
        ("ATTENDEE;CN=Anna:urn:uuid:1", "- Anna"),
        ("ATTENDEE;CN=Anna ^'A^' de^nVries:urn:uuid:1", "- Anna 'A' de Vries"),
    ],
)
def test_a_guest_is_listed_by_name_and_address(attendee: str, entry: str) -> None:
    assert listed(part(attendee)) == f"Guests:\n{entry}"


def test_a_guest_of_whom_nothing_is_known_is_not_listed() -> None:
    assert listed(part("ATTENDEE:urn:uuid:1")) == ""


def test_the_organizer_is_no_guest() -> None:
    organizer = "ORGANIZER;CN=Salon:mailto:salon@example.org"
    assert listed(part(organizer)) == ""
    assert listed(part(organizer, "ATTENDEE;CN=Salon:mailto:Salon@example.org")) == ""
    assert listed(part(organizer, "ATTENDEE:mailto:anna@example.org")) == "Guests:\n- anna@example.org"


def test_a_guest_without_address_is_listed_though_the_organizer_has_none_either() -> None:
    assert listed(part("ORGANIZER:urn:uuid:1", "ATTENDEE;CN=Anna:urn:uuid:2")) == "Guests:\n- Anna"


@pytest.mark.parametrize(
    ("description", "left"),
    [
        (LIST, ""),
        (f"Colour\n\n{LIST}", "Colour"),
        (f"Colour\n\n{LIST}\n", "Colour"),
        (f"Colour\n{LIST}", "Colour"),
        (f"Colour\n\n\n\n{LIST}", "Colour\n\n"),
        (f"Colour\n\n{LIST}\n\nBring towels", "Colour\n\nBring towels"),
        (f"{LIST}\n- and their dog", "- and their dog"),
        ("Colour\n\nGuests:\n- Anna <anna@example.org>", "Colour"),
        (f"Colour\n\n{LIST} (late)", "Colour"),
        (f"Guests:\n- nobody yet\n\n{LIST}", "Guests:\n- nobody yet"),
        ("Colour", "Colour"),
        ("Our Guests:\n- are welcome", "Our Guests:\n- are welcome"),
    ],
)
def test_the_list_is_taken_off_wherever_people_have_moved_it(description: str, left: str) -> None:
    assert without_list(description, LIST) == left


def test_a_list_that_is_not_known_is_taken_off_all_the_same() -> None:
    assert without_list(f"Colour\n\n{LIST}", None) == "Colour"
    assert without_list("Colour", None) == "Colour"


def test_parameters_are_read_with_their_quotes_off() -> None:
    line = made("ATTENDEE", "mailto:a@example.org", ';CN="a;b:c";x-Note=1')
    assert params(line) == {"CN": "a;b:c", "X-NOTE": "1"}
    assert params(made("SUMMARY", "a;b=c")) == {}
    assert address(line) == "a@example.org"
