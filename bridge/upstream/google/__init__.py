"""Google Calendar as an upstream (Calendar API v3)."""
