"""
Replies that a service keeps for 24 hours (draft-ietf-httpapi-idempotency-key-header, section 2.3), one for each (user,
route, Idempotency-Key), each written in the transaction of the effect it speaks of: the table of
mesh/runtime/idempotency/stored-replies.ts.
"""

from dataclasses import dataclass

from weft_runtime.polling_worker import PollingWorker
from weft_runtime.rpc.errors import Code, FieldViolation, ServiceError
from weft_runtime.storage.database import Database, Transaction
from weft_runtime.storage.sql_state import sql_state_of
from weft_runtime.telemetry.log import Log

#: For a service's migrations.
CREATE_STORED_REPLIES = (
    """create table stored_replies (
     user_id text not null,
     route text not null,
     key text not null,
     fingerprint bytea not null,
     reply bytea not null,
     created_at timestamptz not null default now(),
     primary key (user_id, route, key)
   )""",
    "create index stored_replies_created_at on stored_replies (created_at)",
)

_batch = 1_000
_every = 600.0
_lock_not_available = "55P03"


@dataclass(frozen=True, slots=True)
class KeyedCall:
    """A call that carries an Idempotency-Key."""

    #: The signed-in user's id, or "service:NAME" for a service that calls on its own behalf.
    user_id: str
    #: Full name of the method: "library.v1.LendingService/LendBook".
    route: str
    key: str
    #: SHA-256 of the request message.
    fingerprint: bytes


class AnsweredMeanwhile(Exception):
    """Another call with the same key has committed first; this one's transaction must be rolled back."""


async def find_reply(database: Database, call: KeyedCall) -> bytes | None:
    """
    The reply that a call with the same user, route and key got; None when there was none in 24 hours.

    :raises ServiceError: IDEMPOTENCY_KEY_REUSED when that call asked for something else
    """
    rows = await database.fetch(
        """select fingerprint, reply from stored_replies
            where user_id = $1 and route = $2 and key = $3 and created_at > now() - interval '24 hours'""",
        call.user_id,
        call.route,
        call.key,
    )
    if not rows:
        return None
    if rows[0]["fingerprint"] == call.fingerprint:
        reply: bytes = rows[0]["reply"]
        return reply
    raise ServiceError(
        Code.INVALID_ARGUMENT,
        "IDEMPOTENCY_KEY_REUSED",
        "the Idempotency-Key was used for another request",
        fields=[FieldViolation("Idempotency-Key", "use a new value for a new request")],
    )


async def insert_reply(tx: Transaction, call: KeyedCall, reply: bytes) -> None:
    """
    Stores a reply in the running transaction. Waits while another transaction stores one under the same key.

    :raises AnsweredMeanwhile: when the other one has committed
    :raises ServiceError: IDEMPOTENCY_KEY_IN_FLIGHT when it does not end within the database's lock_timeout
    """
    try:
        inserted = await tx.fetch(
            """insert into stored_replies as kept (user_id, route, key, fingerprint, reply)
                values ($1, $2, $3, $4, $5)
                on conflict (user_id, route, key) do update
                  set fingerprint = excluded.fingerprint, reply = excluded.reply, created_at = now()
                  where kept.created_at <= now() - interval '24 hours'
                returning 1""",
            call.user_id,
            call.route,
            call.key,
            call.fingerprint,
            reply,
        )
    except Exception as error:
        raise (in_flight() if sql_state_of(error) == _lock_not_available else error) from error
    if not inserted:
        raise AnsweredMeanwhile(f"{call.route} was answered meanwhile")


def in_flight() -> ServiceError:
    """The answer to a duplicate whose first call has not ended."""
    return ServiceError(
        Code.ABORTED,
        "IDEMPOTENCY_KEY_IN_FLIGHT",
        "a request with this Idempotency-Key is being processed; send it again later",
    )


def reply_pruning(database: Database, log: Log) -> PollingWorker:
    """Deletes replies that are older than 24 hours, in small batches, every ten minutes."""

    async def prune() -> bool:
        deleted = await database.execute(
            """delete from stored_replies where (user_id, route, key) in (
                  select user_id, route, key from stored_replies where created_at <= now() - interval '24 hours'
                  order by created_at limit $1
                )""",
            _batch,
        )
        return deleted == f"DELETE {_batch}"

    return PollingWorker(
        prune,
        poll=_every,
        pause_after_error=_every,
        on_error=lambda error: log.warn("stored replies were not pruned", err=error),
    )
