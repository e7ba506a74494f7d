"""Calbridge shows the appointments of an organisation's resources as CalDAV calendars and ICS feeds."""
