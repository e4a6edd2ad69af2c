"""Configuration, read from the environment once and checked at start-up."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SOURCE_LANGUAGE = "en"  # what sentences are written in
LANGUAGES = (SOURCE_LANGUAGE, "es")  # in which every page can be read
CITIZEN_LANGUAGES = ("ar",)  # in which only what people meet who answer a survey can be read
ANSWERING_LANGUAGES = LANGUAGES + CITIZEN_LANGUAGES
TRANSLATED = tuple(code for code in ANSWERING_LANGUAGES if code != SOURCE_LANGUAGE)


class ConfigError(Exception):
    """A setting is missing or makes no sense; the message names the variable."""


def config_from(env: Mapping[str, str]) -> dict[str, Any]:
    """Return Flask settings for this environment.

    Raises ConfigError naming the variable if a required one is missing, so that a
    half-configured process never starts.
    """
    secret = env.get("SECRET_KEY", "")
    if len(secret) < 32:
        raise ConfigError("SECRET_KEY must be set to at least 32 random characters.")
    return {
        "SECRET_KEY": secret,
        "SQLALCHEMY_DATABASE_URI": database_url(env.get("DATABASE_URL", "")),
        "REDIS_URL": env.get("REDIS_URL", ""),
        "SITE_NAME": env.get("SITE_NAME", "citizenvoice"),
        "PUBLIC_URL": env.get("PUBLIC_URL", "").rstrip("/"),
        "TRUSTED_PROXIES": _whole(env, "TRUSTED_PROXIES", 0),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": env.get("INSECURE_COOKIES") != "1",
        "SESSION_LIFETIME": timedelta(minutes=_whole(env, "SESSION_MINUTES", 60)),
        "MAX_CONTENT_LENGTH": _whole(env, "MAX_UPLOAD_MB", 64) * 1024 * 1024,
        "IMPORTS_FOLDER": env.get("IMPORTS_FOLDER", "") or str(ROOT / "var" / "imports"),
        "MAIL_URL": env.get("MAIL_URL", ""),
        "MAIL_FROM": env.get("MAIL_FROM", "citizenvoice@localhost"),
        "MINIMUM_ANSWERS": _whole(env, "MINIMUM_ANSWERS", 10),
        "ANSWERS_PER_MINUTE": _whole(env, "ANSWERS_PER_MINUTE", 20),
        "ANSWERS_PER_MINUTE_AND_KEY": _whole(env, "ANSWERS_PER_MINUTE_AND_KEY", 1200),
        "PHONE_REGIONS": tuple(env.get("PHONE_REGIONS", "US,GB,PH,ES,MX").split(",")),
        "READER": env.get("READER", "public_service"),
        "READER_TIER": env.get("READER_TIER", "default"),
        "READER_IGNORES": _ignored(env),
        "WORKER_LEASE": timedelta(seconds=_whole(env, "WORKER_LEASE_SECONDS", 60)),
        "BABEL_DEFAULT_LOCALE": _language(env),
    }


def _ignored(env: Mapping[str, str]) -> frozenset[str]:
    """Return what the reader is not to look at beside the words."""
    ignored = frozenset(filter(None, env.get("READER_IGNORES", "").split(",")))
    if ignored - {"questions", "ratings"}:
        raise ConfigError("READER_IGNORES must be questions, ratings, or both with a comma.")
    return ignored


def database_url(url: str) -> str:
    """Return the SQLAlchemy URL, with SQLite in ``var/`` where none is given and psycopg 3 for PostgreSQL."""
    if not url:
        folder = ROOT / "var"
        folder.mkdir(exist_ok=True)
        return f"sqlite:///{folder / 'citizenvoice.db'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _language(env: Mapping[str, str]) -> str:
    code = env.get("DEFAULT_LANGUAGE") or SOURCE_LANGUAGE
    if code not in LANGUAGES:
        raise ConfigError(f"DEFAULT_LANGUAGE must be one of {', '.join(LANGUAGES)}, not {code!r}.")
    return code


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, "")
    if not value:
        return default
    if not value.isdigit():
        raise ConfigError(f"{name} must be a whole number, not {value!r}.")
    return int(value)
