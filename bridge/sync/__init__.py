"""The engine that keeps a resource and a remote calendar the same."""
