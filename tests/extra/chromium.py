"""Chromium without a window, driven by the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

ANSWER_S = 60.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)


class Browser:
    """One page of a browser. What it complains about is collected in `complaints`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self._events: list[str] = []
        self.complaints: list[str] = []
        """Messages in the console, exceptions, and what the browser refused."""
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result. Raises AssertionError with the error of the browser."""
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._connection.recv(timeout=ANSWER_S))
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method", ""), message.get("params", {})
        self._events.append(method)
        if method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(params)[:500])

    def open(self, page: Path | str) -> None:
        """Load a file or a url, and wait until all of it is there."""
        self._events.clear()
        self.command("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(json.loads(self._connection.recv(timeout=ANSWER_S)))

    def view(self, width: int, *, dark: bool = False, media: str = "screen", scripts: bool = True) -> None:
        """Set the width of the page in CSS pixels, the colours that its reader prefers, the medium, and scripts."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, awaited; it is not subject to the policy of the page."""
        result = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def picture(self, file: Path) -> None:
        """Write the whole page as a PNG file."""
        data = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with an empty page and a profile of its own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_address(Path(profile)), max_size=None, compression=None) as connection:
                yield Browser(connection)
        finally:
            process.terminate()
            process.wait(20)


def _address(profile: Path) -> str:
    """The address of the page, as soon as the browser has written its port."""
    end = time.monotonic() + ANSWER_S
    while True:
        try:
            port = (profile / "DevToolsActivePort").read_text(encoding="ascii").split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                return str(next(page["webSocketDebuggerUrl"] for page in json.load(answer) if page["type"] == "page"))
        except (OSError, IndexError, StopIteration):
            assert time.monotonic() < end, "chromium does not come up"
            time.sleep(0.1)
