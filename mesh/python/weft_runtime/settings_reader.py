"""Reads settings from the environment, strictly: every gap and every malformed value is named, no value is."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")


class ConfigError(Exception):
    """Settings are missing or malformed."""


class SettingsReader:
    """Reads one variable after the other; ``finish`` throws what was wrong with all of them. Empty means not given."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._problems: list[str] = []

    def finish(self) -> None:
        """:raises ConfigError: "configuration: NAME: reason; NAME: reason" """
        if self._problems:
            raise ConfigError(f"configuration: {'; '.join(self._problems)}")

    def problem(self, name: str, reason: str) -> None:
        self._problems.append(f"{name}: {reason}")

    def text(self, name: str, default: str | None = None, pattern: str = r"(?s:.+)") -> str | None:
        value = self._env.get(name, "")
        if value == "":
            return default
        if not re.fullmatch(pattern, value):
            self.problem(name, f"must match {pattern}")
            return default
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            self.problem(name, "is required")
        return value or ""

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        return self.parsed(name, _within(int, least, most), f"must be {least} to {most}", default)

    def decimal(self, name: str, least: float, most: float, default: float) -> float:
        return self.parsed(name, _within(float, least, most), f"must be {least} to {most}", default)

    def choice(self, name: str, values: Iterable[str], default: str) -> str:
        value = self._env.get(name) or default
        if value not in values:
            self.problem(name, f"must be one of {', '.join(values)}")
            return default
        return value

    def url(self, name: str, *schemes: str) -> str | None:
        def check(text: str) -> str:
            parts = urlsplit(text)
            if parts.scheme not in schemes or not parts.hostname:
                raise ValueError
            _ = parts.port  # throws for what is no port
            return text

        forms = " or ".join(f"{scheme}://HOST:PORT" for scheme in schemes)
        return self.parsed(name, check, f"must be {forms}", None)

    def parsed(self, name: str, parse: Callable[[str], T], problem: str, default: T) -> T:
        """``parse`` throws ValueError for what is none."""
        value = self._env.get(name, "")
        if value == "":
            return default
        try:
            return parse(value)
        except ValueError:
            self.problem(name, problem)
            return default


def _within(convert: Callable[[str], T], least: float, most: float) -> Callable[[str], T]:
    def parse(text: str) -> T:
        value = convert(text)
        if not least <= value <= most:  # type: ignore[operator]
            raise ValueError
        return value

    return parse
