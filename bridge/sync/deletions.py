"""Deletions pass the guard, or wait for a person; nothing of what waits is deleted meanwhile."""
