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
PASSES = Counter("calbridge_passes_total", "Passes over rules; the outcome is `done`, or what went wrong", ["outcome"])
PASS_SECONDS = Histogram(
    "calbridge_pass_seconds",
    "Time that a pass over a rule took",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800),
)
MOVES = Counter("calbridge_moves_total", "Objects that passes over rules dealt with", ["move"])
RELOADS = Counter("calbridge_reloads_total", "Changes of the configuration file", ["outcome"])
NOTIFICATIONS = Counter(
    "calbridge_notifications_total",
    "Notifications of changes that upstreams sent; the outcome is `nudged` where a pass was asked for, else why not",
    ["outcome"],
)
