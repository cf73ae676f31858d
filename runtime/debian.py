"""Installs Debian packages for make setup, where it may: as root, where there is apt-get."""

import os
import shutil
import subprocess


def install(package: str) -> None:
    """Reports no failure: the caller checks whether the program is there now."""
    if shutil.which("apt-get") is None:
        return
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run(
            ["apt-get", *command],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
