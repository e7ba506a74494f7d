"""The only SQL: everything that is kept, on SQLite and on PostgreSQL."""
