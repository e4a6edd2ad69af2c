"""How often one sender may try something, counted without keeping anybody's address."""

import hmac
from datetime import date
from ipaddress import IPv6Address, ip_address

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from citizenvoice.web import counters
from citizenvoice.web.clock import utc_now

SLOWEST_REDIS = 1  # seconds to wait for the shared counter before counting in this process


def sender_key() -> str:
    """Return a name for the sender of this request that says nothing about them and changes every day."""
    return keyed_hash(
        request.remote_addr or "", secret=current_app.config["SECRET_KEY"], day=utc_now().date()
    )


def keyed_hash(address: str, *, secret: str, day: date) -> str:
    """Return the keyed hash of a network address for one day.

    Without the key the 2^32 addresses of IPv4 could simply be tried; with the day in it, yesterday's
    hashes cannot be joined to today's. An IPv6 subscriber holds a whole /64, so that is what is counted.
    """
    key = hmac.digest(secret.encode(), f"sender of {day.isoformat()}".encode(), "sha256")
    return hmac.new(key, subscriber(address).encode(), "sha256").hexdigest()[:32]


def subscriber(address: str) -> str:
    """Return the part of a network address that names one subscriber."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.exploded[:19])
    return str(parsed)


limiter = Limiter(sender_key, headers_enabled=True, storage_options={"wrap_exceptions": True})
alone = FixedWindowRateLimiter(MemoryStorage())


def init_limits(app: Flask) -> None:
    """Count in Redis where there is one, so that all processes share it; in this process otherwise."""
    url = app.config.get("REDIS_URL", "")
    app.config.setdefault("RATELIMIT_STORAGE_URI", url or f"{counters.ProcessStorage.STORAGE_SCHEME[0]}://")
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED", bool(url))
    if url:
        waits = {"socket_timeout": SLOWEST_REDIS, "socket_connect_timeout": SLOWEST_REDIS}
        app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", waits)
    limiter.init_app(app)


def too_often(what: str, rate: str) -> bool:
    """Count one more of ``what`` by this sender and tell whether it is beyond the rate (``20/minute``).

    For views that refuse with a page of their own, so that nothing typed is lost.
    """
    if not limiter.enabled:
        return False
    try:
        return not limiter.limiter.hit(parse(rate), what, sender_key())
    except StorageError:  # no shared counter: each process counts for itself
        return not alone.hit(parse(rate), what, sender_key())
