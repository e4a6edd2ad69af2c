"""Reading comments end to end in one worker: leased, read by the shipped model, written down, indexed.

At least 1,000 comments a second of processor time, in less than 500 MB. ``COMMENTS=`` and
``BENCH_DATABASE_URL=`` change what is read.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks._world import fill, new_app, say
from citizenvoice import jobs
from citizenvoice.analysis.reading import n_waiting
from citizenvoice.db import db

N = int(os.environ.get("COMMENTS", "20000"))
PER_SECOND, MEGABYTES = 1_000, 500


def main() -> int:
    """Read everything; return 1 when a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        app = new_app(os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"))
        with app.app_context():
            fill(N, 4, share_with_comment=1.0, days=30)
            jobs.keep_codebooks()
            read, _ = jobs.jobs(patient=False)[:2]
            read()  # loads the model
            n = n_waiting()
            db.session.rollback()
            started, cpu = time.perf_counter(), time.process_time()
            while read():
                pass
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            say(
                step="read",
                comments=n,
                per_cpu_second=round(n / cpu),
                per_second=round(n / seconds),
                peak_mb=memory,
            )
            return int(n / cpu < PER_SECOND or memory > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
