"""A time of day for the app's own processes that a test can set, like a machine's clock.

With libfaketime, Python 3.11 cannot sleep. So a small library is compiled with the C compiler
that is there and preloaded; make setup installs a compiler where it can.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from runtime import debian
from runtime.services import CannotStart

SOURCE = Path(__file__).with_name("clock.c")
COMPILERS = ("cc", "gcc", "tcc")


def find() -> str | None:
    return next((found for name in COMPILERS if (found := shutil.which(name))), None)


class Clock:
    """Applies to every process started with its `environment`."""

    def __init__(self, folder: Path) -> None:
        compiler = find()
        if compiler is None:
            raise CannotStart("No C compiler is installed: make setup, or the package tcc.")
        folder.mkdir(parents=True, exist_ok=True)
        library, self.file = folder / "clock.so", folder / "seconds"
        command = [compiler, "-shared", "-fPIC", "-nostdlib", "-o", str(library), str(SOURCE)]
        subprocess.run(command, check=True, capture_output=True)
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "FALSE_CLOCK": str(self.file)}

    def set(self, seconds: int) -> None:
        """The offset from the machine's clock: positive is ahead, negative behind."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds}\n")
        new.replace(self.file)


def obtain() -> int:
    """For make setup, as root; without a compiler, the test of clocks says what to install."""
    if find() is None:
        debian.install("tcc")
    if find() is None:
        print("The test of clocks that jump needs a C compiler. Install the package tcc.")
    return 0


if __name__ == "__main__":
    sys.exit(obtain())
