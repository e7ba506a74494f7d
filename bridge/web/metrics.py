"""What is counted, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("calbridge_requests_total", "Requests answered", ["face", "method", "status"])
SECONDS = Histogram(
    "calbridge_request_seconds",
    "Time until the answer was ready",
    ["face"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RELOADS = Counter("calbridge_reloads_total", "Changes of the configuration file", ["outcome"])
