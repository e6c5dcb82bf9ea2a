"""
The inbox: one row for each event whose effect a consumer has committed. It is inserted in the transaction of the
effect, so a second delivery finds it and does nothing.
"""

from weft_runtime.storage.database import Transaction


async def claim_event(
    tx: Transaction, consumer: str, event_id: str, statement_timeout_ms: int, keep_failures: bool = False
) -> bool:
    """
    Claims an event for the running transaction. Waits while another transaction holds the same claim. When the claim
    is new, the event's failures so far are settled with it: a retried event leaves no trace, a dead letter counts as
    replayed.

    :param statement_timeout_ms: what any later statement of the transaction may take
    :param keep_failures: leaves the record of failed tries alone: the caller settles it
    :returns: False when the effect is committed already: the delivery is a duplicate
    """
    rows = await tx.fetch(
        """with claim as (
             insert into inbox (consumer, event_id) values ($1, $2)
             on conflict (consumer, event_id) do update set seen_at = now()
             returning xmax = 0 as fresh
           ), settled as (
             select fresh and not $3 as now from claim
           ), retried as (
             delete from dead_letters
             where consumer = $1 and event_id = $2 and state = 'retrying' and (select now from settled)
           ), replayed as (
             update dead_letters set state = 'replayed', settled_at = now(), settled_by = 'redelivery'
             where consumer = $1 and event_id = $2 and state = 'open' and (select now from settled)
           )
           select fresh, set_config('statement_timeout', $4, true) from claim""",
        consumer,
        event_id,
        keep_failures,
        str(statement_timeout_ms),
    )
    return bool(rows[0]["fresh"])
