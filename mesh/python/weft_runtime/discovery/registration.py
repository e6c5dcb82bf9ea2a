"""
This process's entry in the registry of services, a NATS key-value bucket: written when it is ready and again every
3 s (mesh/runtime/discovery/README.md). Tries for ever while the registry is away.
"""

import asyncio
import json
import os
import random
import re
import socket
from datetime import UTC, datetime

from weft_runtime.background import in_background
from weft_runtime.config import Config
from weft_runtime.events.bus import STREAM_NAME_IN_USE, Bus, JetStreamError
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.telemetry.log import Log

_heartbeat = 3.0
#: Time that callers get to hear of an end before it happens.
_notice = 0.3
_bucket = "weft_registry"
_max_age = 60

#: When this process began.
started_at = datetime.now(UTC)


def instance_name(config: Config) -> str:
    """Name of this process among the replicas of its service."""
    host = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:60]
    return config.instance or f"{host}-{os.getpid()}"


class Registration:
    """Enters this process and keeps the entry alive until ``end``."""

    def __init__(self, bus: Bus, service: str, config: Config, port: int, log: Log) -> None:
        scheme = "https" if config.mesh == "none" else "http"
        entry = {
            "service": service,
            "instance": instance_name(config),
            "version": config.version,
            "address": config.address or f"{scheme}://{config.host}:{port}",
            "spiffeId": TrustDomain(config.trust_domain, config.namespace).spiffe_id(service),
            "state": "ready",
            "startedAt": started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        self._bus = bus
        self._log = log
        self._subject = f"$KV.{_bucket}.{service}.{entry['instance']}"
        self._entry = json.dumps(entry).encode()
        self._entered = False
        self._reported = ""
        self._beating = in_background(self._beat())

    async def end(self) -> None:
        """Takes the entry out and waits until callers have heard of it; not while nobody would. Never throws."""
        self._beating.cancel()
        await asyncio.wait([self._beating])
        if not self._entered or not self._bus.is_connected:
            return
        try:
            # NATS ADR-8: the header stands for the end of an entry.
            await self._bus.publish(self._subject, b"", {"KV-Operation": "DEL"}, timeout=1)
            await asyncio.sleep(_notice)
        except Exception as error:
            self._log.warn("callers could not be told of the end", problem=str(error))

    async def _beat(self) -> None:
        await self._bus.connected()
        while True:
            if self._bus.is_connected:
                await self._write()
            # Jittered, so that processes that started together do not stay together.
            await asyncio.sleep(_heartbeat * random.uniform(0.9, 1.1))

    async def _write(self) -> None:
        try:
            if not self._entered:
                await _ensure_bucket(self._bus)
            await self._bus.publish(self._subject, self._entry)
            self._entered = True
            if self._reported:
                self._log.info("registered again")
            self._reported = ""
        except Exception as error:
            self._entered = False  # the server may have lost the bucket
            problem = str(error) or type(error).__name__
            if problem != self._reported:
                self._log.warn("not registered; trying again", problem=problem)
            self._reported = problem


async def _ensure_bucket(bus: Bus) -> None:
    """Makes the bucket unless there is one, with the settings of mesh/runtime/discovery/registry.ts."""
    config = {
        "name": f"KV_{_bucket}",
        "subjects": [f"$KV.{_bucket}.>"],
        "storage": "memory",
        "discard": "new",
        "retention": "limits",
        "max_msgs_per_subject": 1,
        "max_age": _max_age * 10**9,
        "duplicate_window": _max_age * 10**9,
        "max_bytes": 4 * 1024 * 1024,
        "max_msg_size": 4 * 1024,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "num_replicas": 1,
    }
    try:
        await bus.ask(f"STREAM.CREATE.KV_{_bucket}", config)
    except JetStreamError as error:
        # Made by another version of this program: it serves as it is.
        if error.code != STREAM_NAME_IN_USE:
            raise
