"""Alembic's scripts; `bridge.store.migrate` runs them."""
