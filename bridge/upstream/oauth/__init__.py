"""Logins that a person or an administrator grants by OAuth 2.0 (RFC 6749), for any provider."""
