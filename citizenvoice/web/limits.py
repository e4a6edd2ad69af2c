"""How often one sender may try something, counted without keeping anybody's address."""

import hmac
from datetime import date
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from citizenvoice.web import counters
from citizenvoice.web.clock import utc_now

LIMITED = "security"  # the blueprint whose views declare limits; others use `too_often`
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
    return hmac.digest(_key_of_day(secret, day), subscriber(address).encode(), "sha256").hex()[:32]


@lru_cache(maxsize=2)
def _key_of_day(secret: str, day: date) -> bytes:
    return hmac.digest(secret.encode(), f"sender of {day.isoformat()}".encode(), "sha256")


def subscriber(address: str) -> str:
    """Return the part of a network address that names one subscriber."""
    if ":" not in address:
        return address
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
    _only_before_limited_views(app)


def _only_before_limited_views(app: Flask) -> None:
    """Spare requests to views that declare no limit the asking; those that do ask themselves."""
    asking: tuple[dict[Any, list[Any]], ...] = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
    )
    for functions in asking:
        kept = functions.get(None, [])
        functions[None] = [function for function in kept if not _is_of_limiter(function)]
        functions.setdefault(LIMITED, []).extend(function for function in kept if _is_of_limiter(function))


def _is_of_limiter(function: Any) -> bool:
    """Tell whether a function is a method of the limiter, or is given it as its first argument."""
    bound_to = getattr(function, "__self__", None), *getattr(function, "args", ())
    return any(one is limiter for one in bound_to)


def too_often(what: str, rate: str, by: str = "") -> bool:
    """Count one more of ``what`` by this sender and tell whether it is beyond the rate (``20/minute``).

    ``by`` names a sender that is known, such as a program with a key, whatever its address.

    For views that refuse with a page of their own, so that nothing typed is lost.
    """
    if not limiter.enabled:
        return False
    try:
        return not limiter.limiter.hit(_parsed(rate), what, by or sender_key())
    except StorageError:  # no shared counter: each process counts for itself
        return not alone.hit(_parsed(rate), what, by or sender_key())


@lru_cache(maxsize=64)
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)
