"""The web face: a start page, health and metrics."""
