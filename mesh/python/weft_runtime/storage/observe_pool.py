"""Figures of the connection pool by the semantic conventions for databases."""

from weft_runtime.storage.database import Database
from weft_runtime.telemetry.metrics import Metrics, Values

_pool = "db_client_connection_pool_name"


def observe_pool(metrics: Metrics, database: Database) -> None:
    """Alert when somebody keeps waiting for a connection."""

    async def count() -> Values:
        return {(database.name, state): number for state, number in database.connections.items()}

    async def most() -> Values:
        return {(database.name,): database.most_connections}

    async def waiting() -> Values:
        return {(database.name,): database.waiting}

    states = [_pool, "db_client_connection_state"]
    metrics.ask("db_client_connection_count", "Connections by state", states, count)
    metrics.ask("db_client_connection_max", "Most connections of the pool", [_pool], most)
    metrics.ask("db_client_connection_pending_requests", "Who waits for a connection", [_pool], waiting)
