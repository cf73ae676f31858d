"""An uploaded file: stored, read by a worker in turn, cancelled when nobody waits for it.

The record is a row of FileReading, and one of FileWork until the reading ends. The holder of that
row's lease reads the file; its end and the estimate are stored in one transaction, so a process
that was believed dead stores nothing.
"""

import uuid
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q

from partner_app.core import clock, sealing
from partner_app.core.heartbeat import Heartbeat
from partner_app.core.logging import log
from partner_app.estimates.errors import (
    FilesWait,
    PageClosed,
    ReaderBroke,
    ReadingCancelled,
    ReadingUnknown,
    Refusal,
)
from partner_app.estimates.models import (
    Estimate,
    FilePiece,
    FileReading,
    FileWork,
    ReadingKind,
    ReadingState,
)
from partner_app.estimates.reading.layout import FileColumn
from partner_app.estimates.services import (
    Follow,
    answer,
    estimate_or_error,
    replace_file,
    require_project,
    take_estimate,
)
from partner_app.tabular.errors import FileTakesLong, ReadingError
from partner_app.tabular.files import ZIP
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import USABLE

LEASE = timedelta(seconds=10)  # renewed continually; once expired, another worker reads the file
BEAT = 0.5  # seconds between two renewals, and so until a cancellation is noticed
RING_AGAIN = timedelta(seconds=10)  # after a wake-up message without effect
GONE = timedelta(seconds=30)  # a page polls each second; after this nobody waits for it any more
# A window hidden for some minutes polls only once a minute. Waiting costs nothing.
GONE_WAITING = timedelta(seconds=150)
MOST_ATTEMPTS = 3  # a file that ended its reader so often will do so again
MOST_KEPT = 20  # unread files of one company
MOST_SECONDS = 300  # of one reading, storing included
CLAIM = 50


class FileLeaseLost(ReadingError):
    code = "estimate.lease_lost"
    user_message = "Another process has taken over this file."
    remedy = "Nothing to do: it continues there."


@dataclass(frozen=True)
class ReadingProgress:
    """`before`: earlier files that have not ended. `reading`: its turn has come."""

    step: str
    done: int
    total: int
    before: int
    reading: bool
    stopping: bool


def ask_new(
    *,
    company_id: int,
    project_id: int,
    name: str,
    pieces: Iterable[bytes],
    actor: str,
    revision_of: uuid.UUID | None = None,
) -> FileReading:
    """`pieces` of the file, in order. Raises FilesWait, ProjectUnknown, EstimateUnknown."""
    with tenant(company_id):
        require_project(company_id, project_id)
        if revision_of:
            estimate_or_error(revision_of, project_id=project_id)
        return _begin(
            FileReading(
                company_id=company_id,
                project_id=project_id,
                kind=ReadingKind.NEW,
                revision_of_id=revision_of,
                file_name=name,
                created_by=actor,
            ),
            pieces,
        )


def ask_file(
    *, company_id: int, estimate_id: uuid.UUID, name: str, pieces: Iterable[bytes], actor: str
) -> FileReading:
    """Raises FilesWait, EstimateUnknown."""
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id)
        return _begin(
            FileReading(
                company_id=company_id,
                project_id=estimate.project_id,
                kind=ReadingKind.FILE,
                estimate=estimate,
                file_name=name,
                created_by=actor,
            ),
            pieces,
        )


def ask_answer(
    *, company_id: int, estimate_id: uuid.UUID, given: Mapping[str, object], actor: str
) -> FileReading:
    """`given`: fields of AnswerForm. A company's answers are processed one after another.

    Raises FilesWait, EstimateUnknown.
    """
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id)
        return _begin(
            FileReading(
                company_id=company_id,
                project_id=estimate.project_id,
                kind=ReadingKind.ANSWER,
                estimate=estimate,
                file_name=estimate.file_name,
                answer=dict(given),
                created_by=actor,
            )
        )


def reading_or_error(reading_id: uuid.UUID) -> FileReading:
    """Inside tenant(). Raises ReadingUnknown."""
    found = FileReading.objects.filter(id=reading_id).first()
    if found is None:
        raise ReadingUnknown
    return found


def progress_of(reading: FileReading) -> ReadingProgress | None:
    """Records that a page waits for it. None once it has ended."""
    rows = FileWork.objects.filter(company_id=reading.company_id, reading_id=reading.id)
    rows.update(seen_at=clock.now())
    work = rows.first()
    if work is None:
        return None
    before = FileWork.objects.filter(asked_at__lt=work.asked_at).count()
    return ReadingProgress(
        work.step, work.done, work.total, before, work.holder is not None, work.cancelled
    )


def cancel(reading: FileReading) -> None:
    """At once where it waits; else within a second. Does nothing where it has ended."""
    with tenant(reading.company_id):
        rows = FileWork.objects.select_for_update().filter(reading_id=reading.id)
        work = rows.first()
        if work is None:
            return
        if work.holder is None:
            _note_end(work, ReadingState.CANCELLED, ReadingCancelled())
        else:
            rows.update(cancelled=True)


def read_again(reading: FileReading) -> None:
    """For a cancelled reading, or one whose reader failed. Raises FilesWait, ReadingUnknown."""
    with tenant(reading.company_id):
        reading = FileReading.objects.select_for_update().get(id=reading.id)
        if reading.state == ReadingState.WAITING:
            return  # another window was faster
        if not may_be_read_again(reading):
            raise ReadingUnknown
        reading.state, reading.error = ReadingState.WAITING, {}
        reading.save(update_fields=["state", "error"])
        _queue(reading)


def discard(reading: FileReading) -> None:
    with tenant(reading.company_id):
        FileWork.objects.filter(reading_id=reading.id).update(cancelled=True)
        reading.delete()


def may_be_read_again(reading: FileReading) -> bool:
    broke = reading.state == ReadingState.REFUSED and reading.error["code"] == ReaderBroke.code
    return broke or reading.state == ReadingState.CANCELLED


def claim_due() -> list[int]:
    """The oldest reading of each company that has none in progress and no wake-up message queued.

    Ends those that nobody waits for, and takes the lease from processes that died.
    """
    now = clock.now()
    FileWork.objects.filter(leased_until__lte=now).update(holder=None, leased_until=None)
    waiting = FileWork.objects.filter(holder=None)
    for work in waiting.filter(seen_at__lt=now - GONE_WAITING)[:CLAIM]:
        _end(work, ReadingState.CANCELLED, PageClosed())
    busy = FileWork.objects.exclude(holder=None).values("company_id")
    turns = waiting.filter(company__state__in=USABLE).exclude(company_id__in=busy)
    first = turns.order_by("company_id", "asked_at").distinct("company_id")
    quiet = FileWork.objects.filter(id__in=first.values("id")).filter(
        Q(rung_at=None) | Q(rung_at__lt=now - RING_AGAIN)
    )
    return list(quiet.order_by("asked_at").values_list("id", flat=True)[:CLAIM])


def next_of(company_id: int) -> int | None:
    """The company's next reading in turn."""
    rows = FileWork.objects.filter(company_id=company_id, holder=None)
    return rows.order_by("asked_at").values_list("id", flat=True).first()


def note_enqueued(work_id: int) -> None:
    FileWork.objects.filter(id=work_id).update(rung_at=clock.now())


def run(work_id: int) -> int | None:
    """Runs in a worker; returns the company whose next reading can start. Harmless twice."""
    work = _lease(work_id)
    if work is None:
        return None
    with tenant(work.company_id):
        reading = FileReading.objects.filter(id=work.reading_id).first()
    if reading is None or reading.state != ReadingState.WAITING:
        work.delete()
        return work.company_id
    if work.attempts > MOST_ATTEMPTS:
        _end(work, ReadingState.REFUSED, ReaderBroke(file=reading.file_name))
        return work.company_id
    watch = _Watch(work, reading)
    try:
        with Heartbeat(watch.keep, every=BEAT):
            _carry_out(reading, watch)
    except FileLeaseLost:
        return None
    except (ReadingCancelled, PageClosed) as error:
        _end(work, ReadingState.CANCELLED, error)
    except ReadingError as error:
        _refuse(work, error)
    except SoftTimeLimitExceeded:
        _refuse(work, FileTakesLong(file=reading.file_name, seconds=MOST_SECONDS))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease expires, and another worker reads the file again
    except Exception as error:  # noqa: BLE001  # whatever it is, the person gets words
        log.error("file.not_stored", company_id=work.company_id, exc_info=error)
        _refuse(work, ReaderBroke(file=reading.file_name))
    return work.company_id


class _Watch(Follow):
    """One reading's lease and progress, and whether a page still waits for it."""

    def __init__(self, work: FileWork, reading: FileReading) -> None:
        self.work, self.reading = work, reading
        self.at: tuple[str, int, int] = ("begins", 0, 0)
        self.over: ReadingError | None = None

    def keep(self) -> bool:
        """From a thread of its own, so that progress is visible while a transaction is open."""
        step, done, total = self.at
        now = clock.now()
        mine = FileWork.objects.filter(id=self.work.id, holder=self.work.holder)
        mine.update(leased_until=now + LEASE, step=step, done=done, total=total)
        row = mine.values("cancelled", "seen_at").first()
        if row is None:
            self.over = FileLeaseLost()
        elif row["cancelled"]:
            self.over = ReadingCancelled()
        elif row["seen_at"] < now - GONE:
            self.over = PageClosed()
        return row is not None

    def say(self, step: str, done: int, total: int) -> None:
        self.at = (step, done, total)
        if self.over:
            raise self.over

    def end(self, estimate: Estimate) -> None:
        rows = FileWork.objects.select_for_update().filter(id=self.work.id, holder=self.work.holder)
        work = rows.first()
        if work is None:
            raise FileLeaseLost
        if work.cancelled:
            raise ReadingCancelled
        self.reading.state, self.reading.estimate = ReadingState.DONE, estimate
        self.reading.answer = {}
        self.reading.save(update_fields=["state", "estimate", "answer"])
        self.reading.pieces.all().delete()
        work.delete()


def _carry_out(reading: FileReading, watch: _Watch) -> None:
    """Raises what take_estimate, replace_file and answer raise, and ReadingUnknown."""
    if reading.kind == ReadingKind.NEW:
        take_estimate(
            company_id=reading.company_id,
            project_id=reading.project_id,
            name=reading.file_name,
            content=_content(reading),
            actor=reading.created_by,
            revision_of=reading.revision_of_id,
            follow=watch,
        )
        return
    if reading.estimate_id is None:
        raise ReadingUnknown
    if reading.kind == ReadingKind.FILE:
        replace_file(
            company_id=reading.company_id,
            estimate_id=reading.estimate_id,
            name=reading.file_name,
            content=_content(reading),
            actor=reading.created_by,
            follow=watch,
        )
        return
    given = reading.answer
    column = FileColumn(given["column"]) if given["column"] else None
    answer(
        company_id=reading.company_id,
        estimate_id=reading.estimate_id,
        part=given["part"] or None,
        sheet=given["sheet"] or None,
        columns={column: given["place"]} if column and given["place"] is not None else None,
        cell=(given["row"], column, given["text"]) if column and given["row"] else None,
        leave_out=given["leave_out"],
        take_back=given["take_back"],
        follow=watch,
    )


def _begin(reading: FileReading, pieces: Iterable[bytes] = ()) -> FileReading:
    """Inside tenant(). Raises FilesWait before a piece is read."""
    reading.created_at = clock.now()
    reading.save()
    _queue(reading)
    level = 1
    for place, piece in enumerate(pieces):
        if place == 0 and piece.startswith(ZIP):
            level = 0  # a workbook is compressed already
        FilePiece.objects.create(
            company_id=reading.company_id,
            reading=reading,
            place=place,
            content=sealing.seal(zlib.compress(piece, level)),
        )
    return reading


def _queue(reading: FileReading) -> None:
    """Inside tenant(). Raises FilesWait."""
    kept = FileReading.objects.filter(company_id=reading.company_id).filter(
        Q(state=ReadingState.WAITING) | Exists(FilePiece.objects.filter(reading=OuterRef("pk")))
    )
    if (count := kept.count() - 1) >= MOST_KEPT:
        raise FilesWait(count=count)
    now = clock.now()
    FileWork.objects.create(
        company_id=reading.company_id, reading_id=reading.id, asked_at=now, seen_at=now
    )


def _lease(work_id: int) -> FileWork | None:
    """None where another worker has it, or another reading of the company is in progress."""
    rows = FileWork.objects.select_for_update(skip_locked=True)
    try:
        with transaction.atomic():
            work = rows.filter(id=work_id, holder=None).first()
            if work is None:
                return None
            work.holder, work.leased_until = uuid.uuid4(), clock.now() + LEASE
            work.attempts += 1
            work.save(update_fields=["holder", "leased_until", "attempts"])
    except IntegrityError:
        return None
    return work


def _refuse(work: FileWork, error: ReadingError) -> None:
    log.info("file.refused", company_id=work.company_id, **_for_log(error))
    _end(work, ReadingState.REFUSED, error)


def _for_log(error: ReadingError) -> dict[str, object]:
    """Nothing from the file: neither its name nor its content."""
    return {"code": error.code, "place": error.facts.get("place", "")}


def _end(work: FileWork, state: ReadingState, error: ReadingError) -> None:
    """Only where this process still holds the lease."""
    with tenant(work.company_id):
        rows = FileWork.objects.select_for_update().filter(id=work.id, holder=work.holder)
        if found := rows.first():
            _note_end(found, state, error)


def _note_end(work: FileWork, state: ReadingState, error: ReadingError) -> None:
    """Inside tenant(), with the work locked. A file refused by a rule is not kept."""
    rows = FileReading.objects.filter(id=work.reading_id)
    rows.update(state=state, error=asdict(Refusal.of(error)))
    if state == ReadingState.REFUSED and error.code != ReaderBroke.code:
        FilePiece.objects.filter(reading_id=work.reading_id).delete()
    work.delete()


def _content(reading: FileReading) -> bytes:
    pieces = reading.pieces.order_by("place").values_list("content", flat=True)
    with tenant(reading.company_id):
        return b"".join(zlib.decompress(sealing.unseal(piece)) for piece in pieces.iterator(10))
