"""What an error of the database says about the moment, and about the work."""

import re

import asyncpg


class DatabaseAway(Exception):
    """A statement got no answer; whether it was carried out, nobody knows."""


def sql_state_of(error: BaseException | None) -> str | None:
    """SQLSTATE of an error thrown by the driver, also when it is the cause of another; None for other errors."""
    while error is not None:
        if isinstance(error, asyncpg.PostgresError):
            return error.sqlstate
        error = error.__cause__
    return None


# Connection lost, shutdown, lock or statement timeout, too many clients. 08P01 is a bad message.
_passing = re.compile(r"08(?!P01)|53|57P0|40001|40P01|55P03|57014")
# 25P03: idle in transaction. A statement that took too long (57014) is a failure of the work here.
_transient = re.compile(r"08(?!P01)...|40...|53...|55P03|57P0.|25P03")


def is_database_unavailable(error: BaseException) -> bool:
    """Whether the database could not do its work now but may a moment later."""
    state = sql_state_of(error)
    return bool(_passing.match(state)) if state else _is_connection_trouble(error)


def is_transient(error: BaseException, from_handler: bool) -> bool:
    """
    Whether the database was away, or undid the work only because of what ran beside it. Such a failure says nothing
    about an event, so it is not counted against it (PostgreSQL, appendix A).

    ``from_handler``: the handler threw it; then only the database's own errors count, because the handler may also
    call others, whose absence is a failure like any other.
    """
    state = sql_state_of(error)
    if state:
        return bool(_transient.fullmatch(state))
    return isinstance(error, DatabaseAway) if from_handler else _is_connection_trouble(error)


def _is_connection_trouble(error: BaseException) -> bool:
    # OSError: refused, reset, no route. TimeoutError: no connection, or no answer, in time.
    return isinstance(error, (DatabaseAway, OSError, TimeoutError, asyncpg.InterfaceError))
