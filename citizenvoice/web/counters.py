"""Counts requests in the process itself, for rate limits where there is no Redis."""

import threading
import time
from typing import Any

from limits.storage import Storage

SWEEP_SECONDS = 60


class ProcessStorage(Storage):
    """Counters of this process.

    The ``memory://`` storage that comes with the limits package starts a thread for nearly every request to
    throw old counters away; here one of the requests does it, once a minute.
    """

    STORAGE_SCHEME = ["process"]

    def __init__(self, uri: str | None = None, *, wrap_exceptions: bool = False, **_options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._counters: dict[str, tuple[int, float]] = {}  # key -> (count, until)
        self._swept = time.time()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong: nothing of its own."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count and return how many there are in this window, which a first count begins."""
        now = time.time()
        with self._lock:
            if now - self._swept > SWEEP_SECONDS:
                self._counters = {k: held for k, held in self._counters.items() if held[1] > now}
                self._swept = now
            count, until = self._counters.get(key, (0, 0.0))
            if until <= now:
                count, until = 0, now + expiry
            self._counters[key] = (count + amount, until)
            return count + amount

    def get(self, key: str) -> int:
        """Return how many there are in this window."""
        count, until = self._counters.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when this window ends, in seconds since 1970."""
        return max(self._counters.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """Return whether counting works."""
        return True

    def reset(self) -> int | None:
        """Forget everything and return how many counters there were."""
        with self._lock:
            n, self._counters = len(self._counters), {}
        return n

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._counters.pop(key, None)
