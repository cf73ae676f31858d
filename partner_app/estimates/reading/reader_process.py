"""Reads a file in a separate process, which knows no secret and has enforced limits. Pure.

Whatever a file does to a parser, it ends there: as lines, as a question, or as a refusal in words.
The calling process waits, reports progress, and may end it at any moment.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import msgspec

from partner_app.core.confines import Limits
from partner_app.estimates.errors import FileSaysMuch, FileTakesMuch, ReaderBroke
from partner_app.estimates.reading.endings import Ending
from partner_app.estimates.reading.estimate import Answers
from partner_app.estimates.reading.lines import Reading
from partner_app.estimates.reading.wire import found_in, put_question
from partner_app.tabular.errors import FileTakesLong, ReadingError
from partner_app.tabular.sheets import Say, nobody

ROOT = Path(__file__).resolve().parents[3]
CHILD = "partner_app.estimates.reading.child"
NEEDED = ("LD_LIBRARY_PATH",)  # needed by a Python whose own library is elsewhere
A_LOOK = 0.1  # seconds between two reads of its progress
LAST = 200  # bytes of its output; one line has about twenty
STEP = re.compile(rb"^([a-z]+) (\d{1,9}) (\d{1,9})$", re.MULTILINE)
BROKE = re.compile(rb"^! ([\w .:<>]{1,100})$", re.MULTILINE)


def read_apart(
    name: str, content: bytes, answers: Answers, limits: Limits, say: Say = nobody
) -> Reading:
    """`say` receives the progress ten times a second, and may raise to end the reading.

    Raises what read_estimate raises, FileTakesMuch, FileSaysMuch, ReaderBroke.
    """
    with TemporaryFile() as question, TemporaryFile() as answer, TemporaryFile() as steps:
        put_question(question, name, answers, content)
        question.seek(0)
        child = subprocess.Popen(  # our own module, with numbers
            [
                sys.executable, "-W", "ignore", "-m", CHILD,
                *map(str, (limits.seconds, limits.memory, limits.result, os.getpid())),
            ],
            stdin=question,
            stdout=answer,
            stderr=steps,
            cwd=ROOT,
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
        )  # fmt: skip
        try:
            in_time = _follow(child, steps, limits, say)
        finally:
            child.kill()
            child.wait()
        if not in_time:
            raise FileTakesLong(file=name, seconds=limits.wait)
        found = _found(name, child.returncode, answer, steps, limits)
    if isinstance(found, ReadingError):
        raise found
    return found


def _follow(child: subprocess.Popen[bytes], steps: BinaryIO, limits: Limits, say: Say) -> bool:
    """Until it has ended on its own; False where that takes too long."""
    until = time.monotonic() + limits.wait
    while True:
        try:
            child.wait(A_LOOK)
        except subprocess.TimeoutExpired:
            pass
        else:
            return True
        if time.monotonic() > until:
            return False
        found = STEP.findall(_end_of(steps))
        step, done, total = found[-1] if found else (b"begins", 0, 0)
        say(step.decode(), int(done), int(total))


def _found(
    name: str, status: int, answer: BinaryIO, steps: BinaryIO, limits: Limits
) -> Reading | ReadingError:
    if status == -signal.SIGXCPU:
        return FileTakesLong(file=name, seconds=limits.seconds)
    if status == Ending.MEMORY:
        return FileTakesMuch(file=name)
    if status in (Ending.RESULT, -signal.SIGXFSZ):
        return FileSaysMuch(file=name)
    if status:
        place = BROKE.findall(_end_of(steps))
        return ReaderBroke(file=name, place=place[-1].decode() if place else f"status {status}")
    answer.seek(0)
    try:
        return found_in(name, answer.read())
    except msgspec.DecodeError as error:  # also covers a wrong type
        return ReaderBroke(file=name, place=type(error).__name__)


def _end_of(file: BinaryIO) -> bytes:
    """Without moving the position: the process writes at the same place."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), LAST, max(0, size - LAST))
