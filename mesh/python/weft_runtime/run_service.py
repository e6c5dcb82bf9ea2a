import asyncio
import os
import signal
import sys

from weft_runtime.background import has_failed
from weft_runtime.config import read_config
from weft_runtime.policy.method_policy import mesh_name_of
from weft_runtime.service import ServiceDefinition
from weft_runtime.settings_reader import ConfigError
from weft_runtime.start_service import start_service
from weft_runtime.telemetry.log import Log, create_log

#: Time a process has to finish what is under way, in seconds.
_grace = 10.0


def run_service(definition: ServiceDefinition) -> None:
    """Runs one service as this process: settings from the environment, SIGTERM and SIGINT end it."""
    name = mesh_name_of(definition.contract)
    log = create_log(name)
    try:
        code = asyncio.run(_run(definition, name, log))
    except ConfigError as error:
        log.fatal("start failed", problem=str(error))
        code = 1
    except Exception as error:
        log.fatal("start failed", err=error)
        code = 1
    # Threads that still wait for somebody must not keep the process alive.
    sys.stdout.flush()
    os._exit(code)


async def _run(definition: ServiceDefinition, name: str, log: Log) -> int:
    config = read_config(os.environ)
    log = create_log(name, config.log_level)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    running = await start_service(definition, config, log)
    await told.wait()
    try:
        await asyncio.wait_for(running.stop(), _grace)
    except TimeoutError:
        log.error("stopping took too long")
        return 1
    return 1 if has_failed() else 0
