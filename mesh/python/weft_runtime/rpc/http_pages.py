"""Pages for probes and scrapers over HTTP/1.1: /healthz, /readyz, /metrics. They take no bodies."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h11

#: Time a request may take to come, and a connection to stay without one, in seconds.
_idle = 15.0
_most_head = 16 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    content_type: str
    body: bytes


#: What stands at each path.
HttpPages = dict[str, Callable[[], Awaitable[Page]]]


class PageConnection:
    """One connection; ``send`` and ``close`` are its network's."""

    def __init__(self, pages: HttpPages, send: Callable[[bytes], None], close: Callable[[], None]) -> None:
        self._pages = pages
        self._send = send
        self._close = close
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_most_head)
        self._answering: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_idle, close)

    def take(self, data: bytes) -> None:
        """Bytes of the network."""
        self._http.receive_data(data)
        self._next()

    def lost(self) -> None:
        """The connection is gone."""
        self._timer.cancel()
        if self._answering:
            self._answering.cancel()

    def _next(self) -> None:
        if self._answering and not self._answering.done():
            return
        try:
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                if isinstance(event, h11.Request):
                    self._timer.cancel()
                    self._answering = asyncio.create_task(self._answer(event))
                    return
                if isinstance(event, h11.Data):
                    raise h11.RemoteProtocolError("no bodies are taken here", 413)
                if isinstance(event, h11.ConnectionClosed):
                    self._close()
                    return
        except h11.RemoteProtocolError as error:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self._write(Page(error.error_status_hint, "text/plain", b"bad request\n"), True)
            self._close()

    async def _answer(self, request: h11.Request) -> None:
        path = request.target.partition(b"?")[0].decode("ascii", "replace")
        page = self._pages.get(path)
        if page is None:
            answer = Page(404, "application/json", b'{"error":"not found"}')
        elif request.method not in (b"GET", b"HEAD"):
            answer = Page(405, "application/json", b'{"error":"only GET"}')
        else:
            answer = await page()
        # Without having read a body, the next request cannot be found.
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in request.headers)
        self._write(answer, has_body, request.method == b"HEAD")
        if has_body or self._http.our_state is h11.MUST_CLOSE:
            self._close()
            return
        self._answering = None
        while self._http.their_state is h11.SEND_BODY:
            self._http.next_event()
        self._http.start_next_cycle()
        self._timer = asyncio.get_running_loop().call_later(_idle, self._close)
        self._next()

    def _write(self, page: Page, last: bool, head_only: bool = False) -> None:
        headers = [("content-type", page.content_type), ("content-length", str(len(page.body)))]
        if last:
            headers.append(("connection", "close"))
        parts = [self._http.send(h11.Response(status_code=page.status, headers=headers))]
        if not head_only:
            parts.append(self._http.send(h11.Data(data=page.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self._send(b"".join(part for part in parts if part))
