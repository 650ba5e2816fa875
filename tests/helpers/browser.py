"""A real browser: Debian's Chromium without a window, its graphics drawn in software."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from skimage.io import imread

from tests.helpers.requirements import skip_without

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SOFTWARE_WEBGL = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
NO_WEBGL = ["--disable-3d-apis"]
LAPTOP = {"width": 1366, "height": 768}
PATIENCE_MS = 120_000
"""Graphics in software on two busy cores."""


@dataclass
class Opened:
    """A page in the browser.

    Attributes:
        page: of Playwright.
        requests: URLs asked for.
        complaints: what was said on the console, and errors that nobody caught.
    """

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Requests that leave the page."""
        return [url for url in self.requests if not url.startswith(("data:", "blob:"))]

    def until(self, condition: str) -> None:
        """Wait for JavaScript to be true; the page's policy forbids Playwright's own way."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"the page never came to: {condition}"
            self.page.wait_for_timeout(100)

    def pixels(self, selector: str) -> np.ndarray:
        """(height, width, 3) of what an element looks like."""
        return imread(BytesIO(self.page.locator(selector).screenshot()))[..., :3]


def start() -> AbstractContextManager:
    """The driver of the browser; tests that need it are skipped where there is none."""
    if not shutil.which("chromium"):
        skip_without("browser", "chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip_without("browser", "playwright is not installed")
    return sync_playwright()


@contextmanager
def opened(driver: Any, path: Path, webgl: bool = True, **options: Any) -> Iterator[Opened]:
    """Open a file in a browser of its own."""
    flags = [*FLAGS, *(SOFTWARE_WEBGL if webgl else NO_WEBGL)]
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
    page = browser.new_page(viewport=LAPTOP, **options)
    page.set_default_timeout(PATIENCE_MS)
    seen = Opened(page)
    page.on("request", lambda asked: seen.requests.append(asked.url))
    page.on("console", lambda said: seen.complaints.append(said.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(path.as_uri())
    yield seen
    browser.close()
