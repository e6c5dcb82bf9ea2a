"""Handlers of {{Thing}}Service: translate, call, translate."""

from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from weft_runtime.idempotency.answer_once import AnswerOnce, KeepReply
from weft_runtime.identity.principal import require_principal
from weft_runtime.storage.database import Database, Transaction
from {{package}} import {{file}}_pb2 as pb
from {{package}}.{{file}}_pb2_grpc import {{Thing}}ServiceServicer

from {{file}}_service.create import create_{{thing_}}
from {{file}}_service.delete import delete_{{thing_}}
from {{file}}_service.list_page import list_{{things_}}
from {{file}}_service.rules import {{thing_}}_not_found
from {{file}}_service.storage import {{Thing}}Row

_create = pb.DESCRIPTOR.services_by_name["{{Thing}}Service"].methods_by_name["Create{{Thing}}"]


class {{Thing}}Rpc({{Thing}}ServiceServicer):
    def __init__(self, database: Database) -> None:
        self._database = database
        self._create_once = AnswerOnce(_create, pb.{{Thing}}, database)

    async def Create{{Thing}}(self, request: pb.Create{{Thing}}Request, context: Any) -> pb.{{Thing}}:
        owner_id = require_principal().id

        async def create(keep_reply: KeepReply[pb.{{Thing}}]) -> None:
            async def keep(tx: Transaction, row: {{Thing}}Row) -> None:
                await keep_reply(tx, _message(row))

            await create_{{thing_}}(
                self._database, owner_id=owner_id, title=request.title, text=request.text, keep_reply=keep
            )

        return await self._create_once(request, create)

    async def Get{{Thing}}(self, request: pb.Get{{Thing}}Request, context: Any) -> pb.{{Thing}}:
        found = await self._database.fetch(
            "select id, owner_id, title, text, created_at from {{things_}} where id = $1",
            UUID(request.{{thing_}}_id),
        )
        if not found:
            raise {{thing_}}_not_found()
        return _message({{Thing}}Row(**dict(found[0])))

    async def List{{Things}}(
        self, request: pb.List{{Things}}Request, context: Any
    ) -> pb.List{{Things}}Response:
        rows, next_page_token = await list_{{things_}}(
            self._database,
            owner_id=require_principal().id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.List{{Things}}Response(
            {{things_}}=[_message(row) for row in rows], next_page_token=next_page_token
        )

    async def Delete{{Thing}}(self, request: pb.Delete{{Thing}}Request, context: Any) -> Empty:
        await delete_{{thing_}}(self._database, request.{{thing_}}_id, require_principal().id)
        return Empty()

    async def Get{{Thing}}Stats(self, request: pb.Get{{Thing}}StatsRequest, context: Any) -> pb.{{Thing}}Stats:
        found = await self._database.fetch(
            "select created from {{thing_}}_stats where owner_id = $1", UUID(require_principal().id)
        )
        return pb.{{Thing}}Stats(created=found[0]["created"] if found else 0)


def _message(row: {{Thing}}Row) -> pb.{{Thing}}:
    message = pb.{{Thing}}(id=str(row.id), owner_id=str(row.owner_id), title=row.title, text=row.text)
    message.created_at.FromDatetime(row.created_at)
    return message
