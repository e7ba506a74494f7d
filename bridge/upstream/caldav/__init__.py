"""Any CalDAV server as an upstream (RFC 4791, RFC 6578, RFC 6764)."""
