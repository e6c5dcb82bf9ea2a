"""Handlers of weft.events.v1.DeadLetterService: translate, call, translate."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from weft.events.v1 import dead_letters_pb2 as pb
from weft.events.v1.dead_letters_pb2_grpc import DeadLetterServiceServicer

from weft_runtime.events.cloud_events import MalformedEvent
from weft_runtime.events.handle_once import Reader
from weft_runtime.events.redrive import drop_dead_letter, event_of, find_dead_letter, replay_dead_letter
from weft_runtime.paging.page_token import invalid_page_token, read_page_token, write_page_token
from weft_runtime.policy.redact import redacted_json
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import Log

_default_page_size = 20
_states = ("", "retrying", "open", "replayed", "dropped")


class DeadLetterRpc(DeadLetterServiceServicer):
    """:param readers: consumers of the service whose dead letters these are"""

    def __init__(self, database: Database, log: Log, readers: Sequence[Reader]) -> None:
        self._database = database
        self._log = log
        self._readers = readers

    async def ListDeadLetters(
        self, request: pb.ListDeadLettersRequest, context: Any
    ) -> pb.ListDeadLettersResponse:
        limit = request.page_size or _default_page_size
        wanted = [_states[state] for state in request.states or [pb.DeadLetter.OPEN]]
        filters = [request.consumer, *sorted(wanted)]
        rows = await self._database.fetch(
            """select * from dead_letters where state = any($1::text[]) and ($2 = '' or consumer = $2)
                 and ($3::uuid is null or id < $3) order by id desc limit $4""",
            wanted,
            request.consumer,
            _position(read_page_token(filters, request.page_token)),
            limit + 1,
        )
        more = len(rows) > limit
        return pb.ListDeadLettersResponse(
            dead_letters=[_summary(row) for row in rows[:limit]],
            next_page_token=write_page_token(filters, str(rows[limit - 1]["id"])) if more else "",
        )

    async def GetDeadLetter(self, request: pb.GetDeadLetterRequest, context: Any) -> pb.DeadLetter:
        return self._whole(await find_dead_letter(self._database, UUID(request.id)))

    async def ReplayDeadLetter(self, request: pb.ReplayDeadLetterRequest, context: Any) -> pb.DeadLetter:
        id = UUID(request.id)
        return self._whole(
            await replay_dead_letter(self._database, self._readers, self._log, id, request.actor)
        )

    async def DropDeadLetter(self, request: pb.DropDeadLetterRequest, context: Any) -> pb.DeadLetter:
        return self._whole(await drop_dead_letter(self._database, self._log, UUID(request.id), request.actor))

    def _whole(self, letter: asyncpg.Record) -> pb.DeadLetter:
        whole = _summary(letter)
        whole.headers.update(json.loads(letter["headers"]))
        for entry in json.loads(letter["history"]):
            failed = whole.history.add(cause=entry["cause"], actor=entry.get("actor", ""))
            failed.failed_at.FromDatetime(datetime.fromisoformat(entry["at"]))
        reader = next((each for each in self._readers if each.consumer == letter["consumer"]), None)
        if reader is None:
            whole.payload_problem = "this service has no such consumer any more"
            return whole
        try:
            whole.payload.update(redacted_json(event_of(reader, letter)[1]))
        except MalformedEvent as error:
            whole.payload_problem = str(error)
        return whole


def _summary(letter: asyncpg.Record) -> pb.DeadLetter:
    same = ("consumer", "event_id", "type", "key", "cause", "attempts", "stream", "stream_sequence")
    summary = pb.DeadLetter(
        **{name: letter[name] for name in same},
        id=str(letter["id"]),
        state=letter["state"].upper(),
        settled_by=letter["settled_by"] or "",
        payload_bytes=len(letter["payload"]),
    )
    for field, column in (
        ("first_failed_at", "first_seen_at"),
        ("last_failed_at", "last_failed_at"),
        ("dead_at", "dead_at"),
        ("settled_at", "settled_at"),
    ):
        if letter[column]:
            getattr(summary, field).FromDatetime(letter[column])
    return summary


def _position(position: object) -> UUID | None:
    """Id of the last row of a page."""
    try:
        return None if position is None else UUID(str(position))
    except ValueError as error:
        raise invalid_page_token("is not a token of a list reply") from error
