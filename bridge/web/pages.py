"""The pages: a plain start page for people, health and metrics for monitoring."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from bridge.errors import StoreError
from bridge.web.rule_metrics import RuleMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.config import Configuration
    from bridge.store.database import Database

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def pages(database: Database, *, configuration: Callable[[], Configuration]) -> Flask:
    """The pages as a WSGI application.

    Args:
        database: The store, whose health `/readyz` tells.
        configuration: Gives the configuration of the moment.
    """
    app = Flask("bridge.web")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def shown_everywhere() -> dict[str, str]:
        base = configuration().server.public_url or request.url_root.rstrip("/")
        parts = urlsplit(base)
        # Apple's programs find the rest by themselves, but only from the top of a host.
        return {"address": f"{base}/dav/", "host": f"{base}/dav/" if parts.path else parts.netloc}

    @app.get("/")
    def start() -> str:
        return render_template("start.html", names=_listed([each.name for each in configuration().accounts.values()]))

    @app.get("/healthz")
    def healthz() -> Response:
        return _plain("ok\n")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            database.check()
        except StoreError as error:
            answer = _plain(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE)
            answer.headers["Retry-After"] = "5"
            return answer
        return _plain("ready\n")

    @app.get("/metrics")
    def metrics() -> Response:
        registry: CollectorRegistry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # Several worker processes: each keeps its counts in files, which are summed here.
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        # What the database tells is the same whichever process is asked.
        of_rules = CollectorRegistry()
        of_rules.register(RuleMetrics(database))
        return Response(generate_latest(registry) + generate_latest(of_rules), content_type=CONTENT_TYPE_LATEST)

    @app.errorhandler(HTTPStatus.NOT_FOUND)
    def not_found(_error: object) -> tuple[str, HTTPStatus]:
        return render_template("not_found.html"), HTTPStatus.NOT_FOUND

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
        return response

    return app


def _listed(names: list[str]) -> str:
    """The names as a sentence has them: 'A, B and C'."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _plain(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
