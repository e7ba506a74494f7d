"""Serves Calbridge beside a fake Google, so that anyone can connect the two: `make demo-google`.

Prints the addresses, the logins and what to do, and serves until interrupted. Google's calendars live in memory, so
each start begins anew on both sides.
"""

from __future__ import annotations

import sys
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bridge import bootstrap
from bridge.cli.address import refuse_taken
from bridge.cli.demo import make_password
from bridge.cli.demo_appointments import fill
from bridge.cli.demo_upstream import free_port
from bridge.cli.serving import serve_until_interrupted
from bridge.errors import CalbridgeError
from tests.fakes.google.fake import fake_google
from tests.fakes.google.serve import USERS, ZONE, furnish
from tests.repository import TOP

if TYPE_CHECKING:
    from tests.fakes.google.fake import FakeGoogle

_USER = "demo"
_ANNA = USERS[0]
_PORTS = (5232, 5233)
"""Ours and Google's, as they stand in the template."""

_TEMPLATE = TOP / "config/demo-google.yaml"
_FOLDER = TOP / "data/demo-google"
_CONFIG = "bridge.yaml"
_PASSWORD = "password"
_KEY = "secret.key"
_FROM_GOOGLE = ("google-client.json", "google-service-account.json")
_DATABASE = ("calbridge.sqlite3", "calbridge.sqlite3-wal", "calbridge.sqlite3-shm")
_TO_DO = """
What to do:
1. Open the google address: {who}'s calendar, as she sees it at Google.
2. In another terminal:
     {connect}
   Agree on the page that opens, as {who}. Choose her calendar and the resource salon/anna, and agree to the plan.
   What stood on one side stands on both. What stood on both is there once.
3. Add the caldav address to a calendar program. What it puts is on Google's page within two seconds, and what you
   add, move or delete on that page is here as soon.
4. `status` in place of `connect google` says how it goes. Ctrl-C ends both servers; the next start begins anew.
"""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=_PORTS[0], show_default=True, help="Of Calbridge")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=_FOLDER, help="Keep everything here"
)
def demo(port: int, folder: Path) -> None:
    """Serves both until interrupted."""
    listen = bootstrap.listen_address(f"127.0.0.1:{port}")
    refuse_taken(listen)
    _begin_anew(folder)
    with fake_google(port=free_port(after=port)) as google:
        said = furnish(google, folder)
        google.channels.beyond_proxy = True
        _share_an_appointment(google)
        config = _set_up(folder, (port, google.port))
        site = bootstrap.initialise(config)
        fill(site)
        site.database.close()
        lines = [
            f"caldav: http://{listen}/dav/",
            f"user: {_USER}",
            f"password: {(folder / _PASSWORD).read_text().strip()}",
            f"google: {said['page']}",
            f"google user: {_ANNA}",
            f"connect: {_connect(config)}",
            *_TO_DO.format(who="Anna", connect=_connect(config)).rstrip().split("\n"),
        ]
        serve_until_interrupted(config, listen=None, lines=lines)


def _begin_anew(folder: Path) -> None:
    """Removes what the last start left; whatever else lies in the folder stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (_CONFIG, _PASSWORD, _KEY, *_DATABASE):
        (folder / name).unlink(missing_ok=True)


def _set_up(folder: Path, ports: tuple[int, int]) -> Path:
    """Writes the configuration and the password."""
    text = _TEMPLATE.read_text()
    for usual, port in zip(_PORTS, ports, strict=True):
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:<{port}>")
    config = folder / _CONFIG
    config.write_text(text.replace(":<", ":").replace(">", ""))
    for name in (_PASSWORD, *_FROM_GOOGLE):
        (folder / name).touch(mode=0o600)
        (folder / name).chmod(0o600)
    (folder / _PASSWORD).write_text(f"{make_password()}\n")
    return config


def _share_an_appointment(google: FakeGoogle) -> None:
    """Has one of the salon's appointments stand at Google already, as people write them twice."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    begin = datetime.combine(today - timedelta(days=today.weekday()), time(11)) + timedelta(days=8)
    times = {"start": begin, "end": begin + timedelta(minutes=45)}
    body = {name: {"dateTime": at.isoformat(), "timeZone": ZONE} for name, at in times.items()}
    google.calendar(_ANNA).put({"summary": "Cut: Mr Peters", **body})


def _connect(config: Path) -> str:
    """The command that connects, as it is typed in the folder where the demo was started."""
    here = Path.cwd()
    words = [path.relative_to(here) if path.is_relative_to(here) else path for path in (Path(sys.executable), config)]
    return f"{words[0]} -m bridge connect google --config {words[1]}"


def main() -> None:
    """Runs the command, and ends with a sentence where it cannot."""
    try:
        demo.main(standalone_mode=False)
    except CalbridgeError as error:
        sys.exit(f"{error.message}\n{error.remedy}")
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
