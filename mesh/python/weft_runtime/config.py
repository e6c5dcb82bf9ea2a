"""Environment of a process, parsed once and strictly: the variables of mesh/runtime/config.ts, with their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass

from weft_runtime.settings_reader import SettingsReader
from weft_runtime.telemetry.log import LEVELS

_MESHES = ("none", "istio", "istio-ambient", "linkerd")


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one service process."""

    host: str
    #: TCP port to listen on; 0 takes a free one.
    port: int
    database_url: str
    nats_url: str
    #: "registry": the process enters itself into NATS; otherwise others find it without its help.
    discovery: str
    #: Base URL under which others reach this process; None: host and port it listens on.
    address: str | None
    #: Name of this process among the replicas of its service; None: one is made up.
    instance: str | None
    version: str
    #: Lateness of the event loop above which calls are given up, in seconds; 0 for never.
    shed_late: float
    #: Copies of each stream, in a cluster of NATS.
    stream_replicas: int
    mesh: str
    #: PEM files with this workload's certificate, its private key, and the roots; needed without a mesh.
    certificate_file: str | None
    key_file: str | None
    trust_bundle_file: str | None
    trust_domain: str
    namespace: str
    #: Where users' access tokens come from and whom they are for.
    jwks_url: str
    #: Service of the mesh that answers at ``jwks_url``, over TLS between workloads; None for a server outside.
    jwks_service: str | None
    token_issuer: str
    token_audience: str
    #: Whether callers without a workload identity may call what the edge may. Development only.
    direct_calls: bool
    #: Whether faults may be injected on purpose. Development only.
    faults: bool
    log_level: str
    #: The raw environment, for a service's own settings.
    env: Mapping[str, str]


def read_config(env: Mapping[str, str]) -> Config:
    """:raises ConfigError: naming every variable that is missing or malformed"""
    read = SettingsReader(env)
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    address = read.url("WEFT_ADDRESS", "http", "https")
    config = Config(
        host=read.text("WEFT_HOST") or "127.0.0.1",
        port=read.whole("PORT", 0, 65_535, -1),
        database_url=read.url("DATABASE_URL", "postgres", "postgresql") or "",
        nats_url=read.needed("NATS_URL"),
        discovery=read.choice("WEFT_DISCOVERY", ("static", "dns", "registry"), "static"),
        address=address.rstrip("/") if address else None,
        instance=read.text("WEFT_INSTANCE", None, r"[A-Za-z0-9_-]{1,100}"),
        version=read.text("WEFT_VERSION", None, r".{1,100}") or "dev",
        shed_late=read.whole("WEFT_SHED_LATE_MS", 0, 60_000, 200) / 1_000,
        stream_replicas=int(read.choice("WEFT_STREAM_REPLICAS", ("1", "3", "5"), "1")),
        mesh=read.choice("WEFT_MESH", _MESHES, "none"),
        certificate_file=read.text("WEFT_IDENTITY_CERT"),
        key_file=read.text("WEFT_IDENTITY_KEY"),
        trust_bundle_file=read.text("WEFT_TRUST_BUNDLE"),
        trust_domain=read.text("WEFT_TRUST_DOMAIN", None, r"[a-z0-9._-]+") or "weft.local",
        namespace=read.text("WEFT_NAMESPACE", None, label) or "default",
        jwks_url=read.url("WEFT_JWKS_URL", "http", "https") or "",
        jwks_service=read.text("WEFT_JWKS_SERVICE"),
        token_issuer=read.needed("WEFT_TOKEN_ISSUER"),
        token_audience=read.needed("WEFT_TOKEN_AUDIENCE"),
        direct_calls=read.choice("WEFT_DIRECT_CALLS", ("allow", "deny"), "deny") == "allow",
        faults=read.choice("WEFT_FAULTS", ("allow", "deny"), "deny") == "allow",
        log_level=read.choice("LOG_LEVEL", LEVELS, "info"),
        env=env,
    )
    for name in ("PORT", "DATABASE_URL", "WEFT_JWKS_URL"):
        if not env.get(name):
            read.problem(name, "is required")
    if env.get("NODE_ENV") == "production":
        for name in ("WEFT_DIRECT_CALLS", "WEFT_FAULTS"):
            if env.get(name) == "allow":
                read.problem(name, "must not be allow in production")
    read.finish()
    return config
