import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 5.7): milliseconds since 1970, then chance. Later ones sort behind earlier ones."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
