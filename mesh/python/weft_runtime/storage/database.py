"""Database of a service: asyncpg with the settings that every service shares."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from weft_runtime.storage.sql_state import DatabaseAway
from weft_runtime.storage.statement_span import Place, statement_span
from weft_runtime.telemetry.context import current_context
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.tracer import error_type_of

#: Longest wait for a row lock, and longest statement, in milliseconds.
_lock_timeout_ms = 500
STATEMENT_TIMEOUT_MS = 5_000
#: Longest limit that any statement may be given on the server, in milliseconds.
LONGEST_STATEMENT_MS = 12_000
#: Longest wait for an answer, in seconds: the server has said by then that the statement took too long.
_answer_within = 15.0
_connect_timeout = 5.0
_pool_size = 8

_settings = {
    "lock_timeout": str(_lock_timeout_ms),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": "30000",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """A step of the schema. Names are those of the TypeScript service's classes, so that either can take over."""

    name: str
    statements: Sequence[str]


class AtCommit(Protocol):
    """What ends a transaction that commits."""

    async def before(self, tx: "Transaction") -> None:
        """The last statements."""

    def after(self) -> None:
        """It has committed."""


class Transaction:
    """A connection within a transaction. Each statement is a span of the request being served."""

    def __init__(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", place: Place, database: "Database"
    ) -> None:
        self._connection = connection
        self._place = place
        self.database = database
        #: By name: whoever is there already takes what is added.
        self.at_commit: dict[str, AtCommit] = {}

    async def execute(self, sql: str, *values: object) -> str:
        """Runs a statement. :returns: PostgreSQL's command tag, such as "UPDATE 3" """
        with _traced(sql, self._place), _answered():
            return await self._connection.execute(sql, *values)

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """All rows of a statement."""
        with _traced(sql, self._place), _answered():
            return await self._connection.fetch(sql, *values)


class Database:
    """Connections to the database of a service."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", place: Place) -> None:
        self._pool = pool
        self._place = place
        #: Who waits for a connection.
        self.waiting = 0

    @asynccontextmanager
    async def transaction(self, **settings: str) -> AsyncIterator[Transaction]:
        """
        A READ COMMITTED transaction: commits when what is within ends, rolls back when it throws.

        :param settings: of PostgreSQL, for this transaction alone; written by the program, never by a caller
        """
        async with self._connection() as connection:
            transaction = connection.transaction()
            tx = Transaction(connection, self._place, self)
            with _traced("BEGIN", self._place), _answered():
                await transaction.start()
            try:
                for name, value in settings.items():
                    await tx.execute(f"set local {name} = '{value}'")
                yield tx
                for each in tx.at_commit.values():
                    await each.before(tx)
            except BaseException:
                with _traced("ROLLBACK", self._place), _answered():
                    await transaction.rollback()
                raise
            with _traced("COMMIT", self._place), _answered():
                await transaction.commit()
            for each in tx.at_commit.values():
                each.after()

    async def execute(self, sql: str, *values: object) -> str:
        """Runs one statement by itself."""
        async with self._connection() as connection:
            return await Transaction(connection, self._place, self).execute(sql, *values)

    async def fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Rows of one statement by itself."""
        async with self._connection() as connection:
            return await Transaction(connection, self._place, self).fetch(sql, *values)

    @property
    def name(self) -> str:
        """Of the database."""
        return self._place.database

    @property
    def connections(self) -> dict[str, int]:
        """Connections by state: used, idle."""
        idle = self._pool.get_idle_size()
        return {"idle": idle, "used": self._pool.get_size() - idle}

    @property
    def most_connections(self) -> int:
        """Places of the pool."""
        return self._pool.get_max_size()

    async def close(self) -> None:
        """Waits for what is under way, for five seconds at most."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["PoolConnectionProxy[asyncpg.Record]"]:
        self.waiting += 1
        try:
            connection = await self._pool.acquire(timeout=_connect_timeout)
        finally:
            self.waiting -= 1
        try:
            yield connection
        finally:
            await self._pool.release(connection, timeout=_connect_timeout)


async def open_database(url: str, migrations: Sequence[Migration], log: Log) -> Database:
    """Opens the database and brings its schema up to date."""
    await _migrate(url, migrations, log)
    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=_pool_size,
        command_timeout=_answer_within,
        timeout=_connect_timeout,
        server_settings=_settings,
    )
    parts = urlsplit(url)
    return Database(pool, Place(parts.hostname or "", parts.port or 5432, parts.path.lstrip("/")))


async def _migrate(url: str, migrations: Sequence[Migration], log: Log) -> None:
    """One process migrates at a time, however many replicas start together, in whatever language."""
    connection = await asyncpg.connect(url, timeout=_connect_timeout)
    try:
        await connection.execute("select pg_advisory_lock(hashtext('weft_migrations'))")
        # The table of MikroORM, as the TypeScript services make it.
        await connection.execute(
            """create table if not exists mikro_orm_migrations (
                 id serial primary key,
                 name varchar(255) not null,
                 executed_at timestamptz not null default current_timestamp(6)
               )"""
        )
        done = {row["name"] for row in await connection.fetch("select name from mikro_orm_migrations")}
        for migration in migrations:
            if migration.name in done:
                continue
            async with connection.transaction():
                for statement in migration.statements:
                    await connection.execute(statement)
                await connection.execute(
                    "insert into mikro_orm_migrations (name) values ($1)", migration.name
                )
            log.info("schema migrated", migration=migration.name)
    finally:
        await connection.close()


@contextmanager
def _answered() -> Iterator[None]:
    """Names what happens to a connection, so that a handler's own failures of that kind can be told from it."""
    try:
        yield
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise DatabaseAway(f"{type(error).__name__}: {error}") from error


@contextmanager
def _traced(sql: str, place: Place) -> Iterator[None]:
    """Adds a span for a statement to the trace of the work it is made for."""
    context = current_context()
    if context is None or context.trace is None:
        yield
        return
    started_at, error = time.time_ns(), None
    try:
        yield
    except BaseException as raised:
        error = error_type_of(raised)
        raise
    finally:
        context.trace.add(
            statement_span(sql, place),
            span_id="",
            parent=context.span_id,
            started_at=started_at,
            error=error,
            more={"db.response.status_code": error} if error else None,
        )
