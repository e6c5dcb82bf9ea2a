"""Events that {{name}} consumes: decode, call a use case."""

from weft_runtime.events.consumers import EventContext, on
from {{package}}.events_pb2 import {{Thing}}Created

from {{file}}_service.count_created import count_created


async def _created(event: {{Thing}}Created, context: EventContext) -> None:
    await count_created(context.tx, event.owner_id)


{{file}}_events = (on({{Thing}}Created, _created),)
