"""The feed face: secret ICS URLs."""
