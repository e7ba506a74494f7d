from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

from bridge.upstream.caldav.services import Service, look_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class _Answers(socketserver.BaseRequestHandler):
    records: Mapping[tuple[str, str], tuple[str, ...]]

    def handle(self) -> None:
        asked = dns.message.from_wire(self.request[0])
        question = asked.question[0]
        reply = dns.message.make_response(asked)
        kind = dns.rdatatype.to_text(question.rdtype)
        told = self.records.get((question.name.to_text(), kind))
        if told:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, told))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        self.request[1].sendto(reply.to_wire(), self.client_address)


@contextmanager
def name_server(records: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[dns.resolver.Resolver]:
    """A name server on loopback that knows these records."""
    handler = type("Handler", (_Answers,), {"records": records})
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.server_address[1]
        yield resolver
        server.shutdown()
        thread.join()


NAME = "_caldavs._tcp.example.org."


def test_the_services_of_a_domain_come_best_first_with_their_path() -> None:
    records = {
        (NAME, "SRV"): ("20 0 443 spare.example.org.", "10 1 8443 Dav.example.org.", "10 5 443 cal.example.org."),
        (NAME, "TXT"): ('"txtvers=1" "path=/dav/"',),
    }
    with name_server(records) as servers:
        found = look_up("example.org", servers=servers)

    assert [service.url for service in found] == [
        "https://cal.example.org/dav/", "https://dav.example.org:8443/dav/", "https://spare.example.org/dav/",
    ]  # fmt: skip


def test_a_service_without_a_path_begins_at_the_well_known_place() -> None:
    with name_server({(NAME, "SRV"): ("0 0 443 dav.example.org.",)}) as servers:
        assert look_up("example.org", servers=servers) == (Service("dav.example.org"),)
    assert Service("dav.example.org").url == "https://dav.example.org/.well-known/caldav"


def test_a_domain_that_says_it_has_none_has_none() -> None:
    with name_server({(NAME, "SRV"): ("0 0 0 .",)}) as servers:
        assert look_up("example.org", servers=servers) == ()


def test_a_domain_without_records_or_of_an_impossible_name_has_none() -> None:
    with name_server({}) as servers:
        for domain in ("example.org", "a..b", "x" * 70 + ".org"):
            assert look_up(domain, servers=servers) == ()
