"""JSON log lines on standard output, each with service, request id, trace id and span id; libraries' lines, too."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from weft_runtime.storage.sql_state import sql_state_of
from weft_runtime.telemetry.context import current_context

#: Levels of the setting LOG_LEVEL, and the names of Python's levels in lines.
LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40, "silent": 100}
_names = {5: "trace", 10: "debug", 20: "info", 30: "warn", 40: "error", 50: "fatal"}
_secret = frozenset({"authorization", "password", "token", "refresh_token", "refreshToken"})


class Log:
    """A logger whose lines have fields: ``log.info("event", consumer=name)``. ``err`` takes an exception."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def enabled(self, level: int) -> bool:
        return self._logger.isEnabledFor(level)

    def debug(self, text: str, /, **fields: object) -> None:
        self._write(logging.DEBUG, text, fields)

    def info(self, text: str, /, **fields: object) -> None:
        self._write(logging.INFO, text, fields)

    def warn(self, text: str, /, **fields: object) -> None:
        self._write(logging.WARNING, text, fields)

    def error(self, text: str, /, **fields: object) -> None:
        self._write(logging.ERROR, text, fields)

    def fatal(self, text: str, /, **fields: object) -> None:
        self._write(logging.CRITICAL, text, fields)

    def _write(self, level: int, text: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, text, extra={"fields": fields})


def create_log(service: str, level: str = "info") -> Log:
    """Sends the lines of this process to standard output, from ``level`` on; what libraries say from "warn" on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], LEVELS["warn"]))
    logger = logging.getLogger("weft")
    logger.setLevel(LEVELS[level])
    return Log(logger)


class _JsonLines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "level": _names.get(record.levelno, "info"),
            "time": time.replace("+00:00", "Z"),
            "service": self._service,
        }
        context = current_context()
        if context:
            line |= {"requestId": context.request_id, "traceId": context.trace_id, "spanId": context.span_id}
        fields: dict[str, object] = getattr(record, "fields", {})
        for name, value in fields.items():
            if value is not None:
                line[name] = "[redacted]" if name in _secret else _plain(value)
        if record.exc_info and record.exc_info[1]:
            line["err"] = error_for_log(record.exc_info[1])
        line["msg"] = record.getMessage()
        return json.dumps(line, ensure_ascii=False, default=str, separators=(",", ":"))


def _plain(value: object) -> object:
    return error_for_log(value) if isinstance(value, BaseException) else value


def error_for_log(error: BaseException) -> dict[str, object]:
    """
    An error for the log. Texts of the database's errors may repeat values, which may be anybody's data: of those only
    the state, the constraint and the place in the code are kept.
    """
    shown: dict[str, object] = {
        "type": type(error).__name__,
        "message": message_of(error),
        "stack": "".join(traceback.format_tb(error.__traceback__)[-12:]),
    }
    if error.__cause__ and sql_state_of(error) is None:
        shown["cause"] = error_for_log(error.__cause__)
    return shown


def message_of(error: BaseException) -> str:
    """Text of an error, with the same care."""
    state = sql_state_of(error)
    if state is None:
        return str(error)
    constraint = getattr(error, "constraint_name", None)
    return f"SQLSTATE {state}" + (f", constraint {constraint}" if constraint else "")
