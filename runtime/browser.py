"""Finds the Chromium that browser tests, smoke and screenshots drive."""

import shutil
import subprocess
import sys
from pathlib import Path

from runtime import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--test-third-party-cookie-phaseout",
]
# Like people's browsers: Playwright's own --disable-features turns off the partitioning of
# third-party storage, and Chromium uses only the last such list.
PARTITIONED = [*FLAGS, "--disable-features=MediaRouter,OptimizationHints"]


def find() -> str | None:
    """The Chromium on PATH, else the one that Playwright downloaded."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    for path in sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome")):
        return str(path)
    return None


def require() -> str:
    found = find()
    if found is None:
        sys.exit("No Chromium was found. Install one (package chromium) and run make setup again.")
    return found


def obtain() -> int:
    """For make setup: installs Playwright's Chromium where none is found, else Debian's as root."""
    if find():
        return 0
    download = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(download, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if find() is None:
        debian.install("chromium")
    if find():
        return 0
    print("Browser tests and make smoke need a Chromium. Install the package chromium yourself.")
    return 0


if __name__ == "__main__":
    sys.exit(obtain())
