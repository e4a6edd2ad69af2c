"""Reading comments: each tier beside VADER in the same run, and the default tier end to end in one worker.

Speeds are ratios to VADER's, so that they can be compared between machines. The default tier must reach
1,000 comments a second of processor time from lease to index; the process must stay below 700 MB more than it
started with. ``COMMENTS=``, ``TEXTS=`` and ``BENCH_DATABASE_URL=`` change what is read.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks._world import fill, new_app, say
from citizenvoice import jobs
from citizenvoice.analysis.reading import n_waiting
from citizenvoice.db import db
from citizenvoice.nlp.encoder import EncoderMissingError
from citizenvoice.nlp.evaluation import vader_classes
from citizenvoice.nlp.examples import own_examples
from citizenvoice.nlp.reader import TIERS, load_reader

N = int(os.environ.get("COMMENTS", "20000"))
N_TEXTS = int(os.environ.get("TEXTS", "2000"))
PER_SECOND, MEGABYTES = 1_000, 700
WARM = 200


def main() -> int:
    """Measure the tiers, then read everything; return 1 when a promise is broken."""
    before = _megabytes()
    texts = [example.text for example in own_examples(["en"])][: N_TEXTS + WARM]
    vader = _per_second(vader_classes, texts)
    for tier in TIERS:
        try:
            reader = load_reader("public_service", tier)
        except EncoderMissingError as error:
            say(step=tier, left_out=str(error))
            continue
        speed = _per_second(reader.read, texts)
        say(
            step=tier,
            per_cpu_second=round(speed),
            times_vader=round(speed / vader, 2),
            more_mb=_megabytes() - before,
        )
    return int(_end_to_end() < PER_SECOND or _megabytes() - before > MEGABYTES)


def _per_second(read: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return comments a second of processor time, after some to warm up."""
    read(texts[:WARM])
    started = time.process_time()
    read(texts[WARM:])
    return (len(texts) - WARM) / (time.process_time() - started)


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _end_to_end() -> float:
    """Lease, read, write down and index comments in one worker; return how many a CPU second."""
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
            say(
                step="read",
                comments=n,
                per_cpu_second=round(n / cpu),
                per_second=round(n / seconds),
                peak_mb=_megabytes(),
            )
            return n / cpu


if __name__ == "__main__":
    sys.exit(main())
