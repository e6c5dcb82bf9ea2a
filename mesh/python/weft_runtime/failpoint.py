"""
A failpoint is a named place where a test can let the process die as if its power had gone: the same names, files and
plans as mesh/runtime/failpoint.ts, which describes them. Off unless WEFT_FAILPOINTS names a folder.
"""

import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path


def arm_failpoints(
    env: Mapping[str, str], die: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)
) -> Callable[[str], None]:
    """
    Makes the function that marks failpoints.

    :raises RuntimeError: when failpoints are asked for in production; from the function, when the plan cannot be read
    """
    folder = env.get("WEFT_FAILPOINTS")
    if not folder:
        return lambda name: None
    if env.get("NODE_ENV") == "production":
        raise RuntimeError("WEFT_FAILPOINTS: not in production")
    base = Path(folder, env.get("WEFT_SERVICE") or "process")
    crashes = base.with_name(f"{base.name}.crashes")
    passes = os.open(base.with_name(f"{base.name}.passes"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def next_line() -> str | None:
        plan = _lines_of(base.with_name(f"{base.name}.plan"))
        done = len(_lines_of(crashes))
        return plan[done] if done < len(plan) else None

    planned: list[tuple[str, str, int]] = []

    def mark(name: str) -> None:
        os.write(passes, f"{name}\n".encode())
        if not planned:
            line = next_line()
            if line is None:
                return
            planned.append((line, *_read_planned(line)))
        line, wanted, left = planned[0]
        if name != wanted:
            return
        planned[0] = (line, wanted, left - 1)
        if left - 1 > 0 or next_line() != line:
            return
        descriptor = os.open(crashes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{name}\n".encode())
        os.close(descriptor)
        die()

    return mark


def _read_planned(line: str) -> tuple[str, int]:
    match = re.fullmatch(r"([\w.]+) (\d{1,6})", line, re.ASCII)
    if not match:
        raise RuntimeError(f'WEFT_FAILPOINTS: a line of the plan is not "FAILPOINT N": {line}')
    return match[1], int(match[2])


def _lines_of(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text("utf-8").split("\n") if line]
    except FileNotFoundError:
        return []


#: Marks a place where the process may be told to die. Does nothing unless failpoints are armed.
failpoint = arm_failpoints(os.environ)
