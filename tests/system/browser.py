"""A person before a real browser: looks at pages, fills forms in and clicks, over the browser's own protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1300,1250",
    "--remote-debugging-pipe",
)  # fmt: skip
# The browser reads at 3 and writes at 4.
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)
_BEYOND = 10
_PATIENCE_SECONDS = 60.0
_CENTRE = """
(() => { const each = %s; if (!each) return null; each.scrollIntoView({block: "center"});
  const box = each.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()
"""


class BetweenPages(Exception):
    """The page went away while it was asked."""


class Browser:
    """One page of a browser.

    Attributes:
        loud: What pages wrote to the console, and what broke in them.
    """

    def __init__(self, to: int, back: int) -> None:
        self._to = to
        self._back = back
        self._read = b""
        self._number = 0
        self._session = ""
        self.loud: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Goes to an address, and waits for its page."""
        self._ask("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def tell(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return str(self.tell("document.body ? document.body.innerText : ''"))

    @property
    def address(self) -> str:
        """What stands in the address bar."""
        return str(self.tell("location.href"))

    def wait(self, expression: str) -> float:
        """Waits until an expression is true in the page, and gives the seconds that it took."""
        began = time.monotonic()
        while not self._holds(expression):
            assert time.monotonic() - began < _PATIENCE_SECONDS, f"{expression} is not true of {self.text}"
            select.select([], [], [], 0.02)
        return time.monotonic() - began

    def _holds(self, expression: str) -> bool:
        """Whether it is true now; what a page that still loads does not have yet is no fault."""
        try:
            return bool(self.tell(f"(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"))
        except BetweenPages:
            return False

    def click(self, selector: str, text: str = "") -> None:
        """Points at the first element that fits, and whose text begins so, and clicks."""
        found = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find(each => each.innerText.trim().startsWith({json.dumps(text)}))"
        )
        self.wait(found)
        x, y = self.tell(_CENTRE % found)
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def fill(self, selector: str, value: str) -> None:
        """Writes into a field, in place of what stands there."""
        self.tell(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def picture(self, path: Path) -> None:
        """Keeps what the page looks like."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                if "context" in told.get("error", {}).get("message", ""):
                    raise BetweenPages
                assert "error" not in told, told
                return told["result"]
            if told.get("method") in {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}:
                self.loud.append(json.dumps(told["params"]))

    def _next(self) -> Any:
        while b"\0" not in self._read:
            assert select.select([self._back], [], [], _PATIENCE_SECONDS)[0], "the browser says nothing"
            more = os.read(self._back, 1 << 20)
            assert more, "the browser has ended"
            self._read += more
        one, _, self._read = self._read.partition(b"\0")
        return json.loads(one)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that has never been anywhere; `folder` takes its profile."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # Neither may be 3 or 4 itself.
    given = [fcntl.fcntl(each, fcntl.F_DUPFD, _BEYOND) for each in (theirs_in, theirs_out)]
    process = subprocess.Popen(
        [sys.executable, "-c", _START, *map(str, given), *_CHROMIUM, f"--user-data-dir={folder / 'profile'}"],
        pass_fds=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for each in (theirs_in, theirs_out, *given):
        os.close(each)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        process.terminate()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)
