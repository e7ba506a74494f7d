"""A calendar that somebody publishes as an iCalendar file under a URL: read-only, and trusted only when it is whole."""
