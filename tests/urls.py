"""The addresses we promised to keep, in ``urls.txt``; ``python -m tests.urls`` adds the new ones.

People print addresses on posters and put them in bookmarks. Removing one takes a line ``gone ADDRESS: why``.
"""

import os
import sys
from pathlib import Path

from flask import Flask

URLS = Path(__file__).parent / "urls.txt"


def served(app: Flask) -> set[str]:
    """Return every address the application answers."""
    return {rule.rule for rule in app.url_map.iter_rules()}


def promised() -> tuple[set[str], set[str]]:
    """Return the addresses to keep and those acknowledged as gone."""
    lines = URLS.read_text(encoding="utf-8").splitlines()
    gone = {line.removeprefix("gone ").partition(": ")[0] for line in lines if line.startswith("gone ")}
    return {line for line in lines if line.startswith("/")}, gone


def add_new(app: Flask) -> None:
    """Write new addresses into the list; take none out."""
    lines = set(URLS.read_text(encoding="utf-8").splitlines() if URLS.exists() else [])
    kept = sorted(served(app) | {line for line in lines if line.startswith("/")})
    gone = sorted(line for line in lines if line.startswith("gone "))
    URLS.write_text("\n".join([*kept, *gone]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("CI", "")
    from tests.servers import app_on

    add_new(app_on("sqlite://"))
    sys.stdout.write(f"{URLS}\n")
