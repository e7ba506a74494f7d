"""The CalDAV face: Radicale, with our store behind it."""
