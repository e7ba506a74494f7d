"""The files that a configuration names, as their makers give them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "config" / "bridge.example.yaml"

CLIENT: dict[str, Any] = {
    "installed": {
        "client_id": "1.apps.googleusercontent.com",
        "project_id": "salon-anna",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "client_secret": "open sesame",
        "redirect_uris": ["http://localhost"],
    }
}
"""What Google's console gives out for an OAuth client of the type Desktop app."""

SERVICE_ACCOUNT: dict[str, Any] = {
    "type": "service_account",
    "project_id": "salon-anna",
    "private_key_id": "1",
    "private_key": "open sesame",
    "client_email": "calbridge@salon-anna.iam.gserviceaccount.com",
    "client_id": "2",
    "token_uri": "https://oauth2.googleapis.com/token",
}
"""What Google's console gives out as the key of a service account."""

_OF_THE_EXAMPLE = {
    "certificates/fullchain.pem": "a secret",
    "certificates/privkey.pem": "a secret",
    "secrets/boss": "a secret",
    "secrets/clinic": "a secret",
    "secrets/google-client.json": json.dumps(CLIENT),
    "secrets/google-service-account.json": json.dumps(SERVICE_ACCOUNT),
}


def put_files_of_the_example(folder: Path) -> None:
    """Makes what the example names, readable for its owner alone."""
    for name, text in _OF_THE_EXAMPLE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def put_google_files(folder: Path) -> None:
    """Makes `client.json` and `service.json`, readable for their owner alone."""
    for name, content in (("client.json", CLIENT), ("service.json", SERVICE_ACCOUNT)):
        (folder / name).write_text(json.dumps(content))
        (folder / name).chmod(0o600)
