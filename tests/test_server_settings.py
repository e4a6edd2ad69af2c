"""What gunicorn itself writes to its log."""

import logging
import runpy
from pathlib import Path

import pytest

SETTINGS = runpy.run_path(str(Path(__file__).parent.parent / "gunicorn.conf.py"))


@pytest.mark.parametrize("address", ["203.0.113.9", "::1", "2001:db8::7"])
def test_the_server_log_keeps_no_address(address: str) -> None:
    said = f"Invalid request from ip={address}: Request Line is too large"
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 0, said, None, None)

    assert SETTINGS["WithoutAddresses"]().filter(record)

    assert record.getMessage() == "Invalid request from ip=(not kept): Request Line is too large"
