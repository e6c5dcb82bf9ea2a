"""The durable pull consumer of one service for one event, as mesh/runtime/events/durable.ts makes it."""

from typing import Any

from weft_runtime.events.bus import CONSUMER_NOT_FOUND, Bus, JetStreamError
from weft_runtime.events.event_contract import ConsumerPolicy, EventContract


async def bind_durable(bus: Bus, name: str, contract: EventContract, policy: ConsumerPolicy) -> None:
    """
    Makes the consumer when it is missing, and updates what the contract has changed.

    max_deliver is unlimited on the server, which would silently stop delivering a message whose last delivery was lost
    with its process: the reader counts failures itself. ``backoff`` is not set either, because it overrides the delays
    of negative acknowledgements. A new consumer starts with the oldest event; the inbox drops what was handled before.

    :raises JetStreamError: when the stream does not exist (yet) or the server refuses
    """
    mutable = {
        "ack_wait": round(policy.ack_wait * 1e9),
        "max_ack_pending": policy.max_ack_pending,
        "max_deliver": -1,
    }
    fixed = {
        "durable_name": name,
        "name": name,
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "replay_policy": "instant",
        "filter_subject": contract.subject,
    }
    info = await find_durable(bus, contract.stream, name)
    if info and info["config"].get("filter_subject") != contract.subject:
        await delete_durable(bus, contract.stream, name)
        info = None
    if info is None:
        config = fixed | mutable
    elif any(info["config"].get(field, -1) != value for field, value in mutable.items()):
        config = info["config"] | mutable
    else:
        return
    create = f"CONSUMER.CREATE.{contract.stream}.{name}.{contract.subject}"
    await bus.ask(create, {"stream_name": contract.stream, "config": config})


async def find_durable(bus: Bus, stream: str, name: str) -> dict[str, Any] | None:
    """State of a durable consumer; None when it does not exist."""
    try:
        return await bus.ask(f"CONSUMER.INFO.{stream}.{name}")
    except JetStreamError as error:
        if error.code == CONSUMER_NOT_FOUND:
            return None
        raise


async def delete_durable(bus: Bus, stream: str, name: str) -> None:
    """Removes it, with its place in the stream."""
    await bus.ask(f"CONSUMER.DELETE.{stream}.{name}")
