"""The process that reads one file: `python -m partner_app.estimates.reading.child`. Pure.

It receives the question and the file on standard input and answers on standard output; it reports
progress on standard error, one line at a time. It knows no secret, and the system enforces the
limits in its arguments: seconds of work, bytes of memory, bytes that it may write. The last
argument is the process with which it ends.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
import time
import traceback

from partner_app.estimates.reading.endings import Ending
from partner_app.estimates.reading.estimate import read_estimate
from partner_app.estimates.reading.wire import Question, encode, get_question, said_of
from partner_app.tabular.errors import ReadingError
from partner_app.tabular.sheets import WorkLimit

DESCRIPTORS = 32  # open files; reading needs about ten
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl
A_MOMENT = 0.1  # seconds between two progress lines


def main() -> int:
    seconds, memory, result, parent = (int(each) for each in sys.argv[1:])
    _bind(seconds, memory, result)
    _end_with(parent)
    try:
        question, content = get_question(sys.stdin.buffer)
        answer = _answer(question, content, seconds)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except MemoryError:
        return Ending.MEMORY
    except OSError as error:
        return Ending.RESULT if error.errno == errno.EFBIG else _broke(error)
    except Exception as error:  # noqa: BLE001  # whatever a file makes of a parser
        return _broke(error)
    return 0


def _answer(question: Question, content: bytes, seconds: int) -> bytes:
    budget = WorkLimit(question.name, seconds=seconds, say=_Progress().say)
    try:
        found = read_estimate(question.name, content, answers=question.answers, budget=budget)
    except ReadingError as error:
        return encode(said_of(error))
    return encode(said_of(found))


class _Progress:
    def __init__(self) -> None:
        self.step, self.due = "", 0.0

    def say(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self.step or now > self.due:
            self.step, self.due = step, now + A_MOMENT
            sys.stderr.write(f"{step} {done} {total}\n")
            sys.stderr.flush()


def _bind(seconds: int, memory: int, result: int) -> None:
    """Only lowers limits: this process may already have a lower one."""
    for kind, soft, hard in (
        (
            resource.RLIMIT_CPU,
            seconds,
            seconds + 1,
        ),  # a signal with a name of its own, then the end
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, result, result),
        (resource.RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        given = resource.getrlimit(kind)[1]
        if given == resource.RLIM_INFINITY or given > hard:
            resource.setrlimit(kind, (soft, hard))


def _end_with(parent: int) -> None:
    """Ends with its parent, so that a killed worker leaves nothing running. Linux only."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # the parent was killed before this took effect
        os._exit(Ending.BROKE)


def _broke(error: Exception) -> int:
    """Where it failed, and nothing from the file: its words do not belong in a log."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(f"! {type(error).__name__} {place.name}:{place.lineno}\n")
    return Ending.BROKE


if __name__ == "__main__":
    sys.exit(main())
