"""uvicorn's HTTP protocol, with time limits for headers that do not come and responses not read."""

from asyncio import Transport
from asyncio.events import TimerHandle

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from partner_app.core.arrival import LARGEST_HEAD

HEAD_TIME = 10.0  # seconds from a connection, or a request's first byte, to the end of its headers
STALLED = 60.0  # seconds in which a peer reads nothing of a response
END = b"content-length: 0\r\nconnection: close\r\n\r\n"


class DeadlineProtocol(HttpToolsProtocol):
    """One connection."""

    in_head = True  # nothing, or a part of the headers, has come
    head_size = 0
    head_timer: TimerHandle | None = None
    stall_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        in_head = self.in_head
        if in_head and self.head_timer is None:
            self._await_head()
        super().data_received(data)
        if in_head and self.in_head and not self.transport.is_closing():
            self.head_size += len(data)
            if self.head_size > LARGEST_HEAD:
                self._end(431)

    def on_headers_complete(self) -> None:
        self.in_head, self.head_size = False, 0
        self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_reading()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self.head_timer = self.loop.call_later(HEAD_TIME, self._head_is_late)

    def _head_is_late(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle and not cycle.response_complete:
            self._await_head()  # the previous request has not been answered yet
        elif self.head_size:
            self._end(408)
        else:
            self.transport.close()  # browsers open connections ahead and may never use them

    def _expect_reading(self) -> None:
        """Closes a connection for good where the peer does not take what is to be sent."""
        if self.stall_timer is None and self.transport.get_write_buffer_size():
            self.stall_timer = self.loop.call_later(STALLED, self.transport.abort)

    def _end(self, status: int) -> None:
        self.transport.write(STATUS_LINE[status] + END)
        self.transport.close()
        self._expect_reading()

    def _stop_head_timer(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _stop_stall_timer(self) -> None:
        if self.stall_timer is not None:
            self.stall_timer.cancel()
            self.stall_timer = None
