"""Removes what the event tables need no longer: the same as mesh/runtime/events/prune.ts."""

from datetime import timedelta

from weft_runtime.events.streams import RETENTION
from weft_runtime.polling_worker import PollingWorker
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import Log

_batch = 1_000
#: A message may come again for as long as its stream keeps it, seven days; its inbox row must outlive that.
_inbox_retention = timedelta(days=8)
#: A row that has been "retrying" for this long has lost its message: an operator has to look.
_retrying_limit = timedelta(days=1)
_every = 600.0


def pruning(database: Database, log: Log) -> PollingWorker:
    """Prunes every ten minutes."""
    return PollingWorker(
        lambda: prune_event_tables(database),
        poll=_every,
        pause_after_error=_every,
        on_error=lambda error: log.warn("event tables were not pruned", err=error),
    )


async def prune_event_tables(database: Database) -> bool:
    """
    Deletes a batch of old outbox and inbox rows, and turns failures that nobody retries into dead letters.

    :returns: whether there are more
    """
    await database.execute(
        """update dead_letters set state = 'open', dead_at = now()
           where state = 'retrying' and last_failed_at < now() - $1::interval""",
        _retrying_limit,
    )
    deleted = await database.execute(
        """delete from inbox where (consumer, event_id) in (
             select consumer, event_id from inbox where seen_at < now() - $1::interval order by seen_at limit $2
           )""",
        _inbox_retention,
        _batch,
    )
    more = deleted == f"DELETE {_batch}"
    for row in await database.fetch("select stream from outbox_streams"):
        # Sequences grow with time: the lowest ones tell whether there is anything to delete.
        deleted = await database.execute(
            """delete from outbox where published_at < now() - $1::interval and id in (
                 select id from outbox where stream = $2 and published_at is not null order by stream_sequence limit $3
               )""",
            timedelta(seconds=RETENTION),
            row["stream"],
            _batch,
        )
        more = more or deleted == f"DELETE {_batch}"
    return more
