"""Ends HTTP/2 connections of which only the bytes are known, in order: the client finishes what it has and leaves."""

#: A frame GOAWAY that names no last stream yet (RFC 9113, section 6.8): no error, take new requests elsewhere.
GOAWAY = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0]) + (2**31 - 1).to_bytes(4, "big") + bytes(4)

_HEAD = 9


class FrameWalk:
    """Follows what a server sends, so that a frame can be put between two of its frames."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0

    @property
    def is_between_frames(self) -> bool:
        return self._left == 0 and not self._head

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        at = 0
        while at < len(data):
            if self._left > 0:
                step = min(self._left, len(data) - at)
                self._left -= step
            else:
                step = min(_HEAD - len(self._head), len(data) - at)
                self._head += data[at : at + step]
                if len(self._head) == _HEAD:
                    self._left = int.from_bytes(self._head[:3], "big")
                    self._head = b""
            at += step
