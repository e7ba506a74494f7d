"""The pages: a plain start page for people, health and metrics for monitoring."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, render_template
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from bridge.errors import StoreError

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

    @app.get("/")
    def start() -> str:
        return render_template("start.html", accounts=configuration().accounts.values())

    @app.get("/healthz")
    def healthz() -> Response:
        return _plain("ok\n")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            database.check()
        except StoreError as error:
            return _plain(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return _plain("ready\n")

    @app.get("/metrics")
    def metrics() -> Response:
        registry: CollectorRegistry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # Several worker processes: each keeps its counts in files, which are summed here.
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @app.errorhandler(HTTPStatus.NOT_FOUND)
    def not_found(_error: object) -> tuple[str, HTTPStatus]:
        return render_template("not_found.html"), HTTPStatus.NOT_FOUND

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
        return response

    return app


def _plain(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
