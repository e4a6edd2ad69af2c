"""How the web server runs. gunicorn reads this file by itself, wherever it is started in this folder."""

import gc
import logging
import re
from typing import Any

ADDRESS = re.compile(r"ip=\S+")  # with the colon behind it


class WithoutAddresses(logging.Filter):
    """Takes network addresses out of what gunicorn says about requests it cannot read."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without the address."""
        record.msg = ADDRESS.sub("ip=(not kept):", str(record.msg))
        return True


def on_starting(server: Any) -> None:
    """Filter before the first request; the processes that serve inherit it."""
    server.log.error_log.addFilter(WithoutAddresses())


def post_worker_init(_worker: Any) -> None:
    """Spare the collector what lives as long as the process: the code, the map of addresses, the mappings."""
    gc.collect()
    gc.freeze()
