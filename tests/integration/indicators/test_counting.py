"""Stored counts equal what was sent, whatever happens and in whatever order."""

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from citizenvoice.analysis import actions as analysis_actions
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Exclusion, Receipt
from citizenvoice.indicators import contributions, counting, stored_rows, work
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.indicators.models import Count, JobLease
from tests.factories import UserFactory
from tests.integration.indicators import oracle
from tests.integration.indicators.world import NOW, World, everything_definition

pytestmark = pytest.mark.usefixtures("database")


def now() -> datetime:
    return NOW


def worker() -> CountingWorker:
    return CountingWorker(secrets.token_hex(8), patience=0)


def count_all(counter: CountingWorker | None = None) -> None:
    counter = counter or worker()
    while counter.count_next(now):
        pass
    assert work.is_idle()


def reworded() -> dict[str, Any]:
    data = everything_definition()
    data["sections"][0]["questions"][1]["text"] = {"en": "Was it simple?"}
    return data


class DiedError(Exception):
    pass


def interrupt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker die at one of the places between its commits, leaving whatever it had committed."""
    module, place = world.random.choice(
        [(counting, "_add_up"), (counting, "_corrected_months"), (stored_rows, "replace")]
    )
    with monkeypatch.context() as broken:

        def die(*_args: Any) -> None:
            raise DiedError

        broken.setattr(module, place, die)
        try:
            worker().count_next(now)
        except DiedError:
            db.session.rollback()
    # Its lease runs out.
    db.session.execute(text("UPDATE job_lease SET until = :then WHERE name = 'count'"), {"then": NOW})
    db.session.commit()


@pytest.mark.parametrize("seed", range(6))
def test_counts_equal_the_oracle_and_a_full_recount_whatever_happens(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(seed)
    user = UserFactory.create()
    db.session.commit()
    counter = worker()

    def annotate() -> None:
        ids = db.session.scalars(select(Comment.id).order_by(Comment.id)).all()
        if ids:
            themes = [t.id for t in world.themes if world.random.random() < 0.5]
            analysis_actions.annotate(
                db.session.get_one(Comment, world.random.choice(ids)),
                user.id,
                sentiment=world.random.choice([None, 1, 5]),
                themes=world.random.choice([None, themes]),
                now=NOW,
            )

    happenings: list[Callable[[], Any]] = [
        lambda: world.send(world.random.randrange(1, 12)),
        lambda: world.send(3, day=date(2025, 12, world.random.randrange(1, 28))),  # a late import
        lambda: world.exclude(world.random.choice(list(Exclusion))),
        lambda: world.exclude(None),
        world.add_page,
        world.read_some,
        annotate,
        lambda: world.publish_again(reworded()) if len(world.versions) < 3 else None,
        lambda: interrupt(world, monkeypatch),
        lambda: counter.count_next(now),
        lambda: worker().count_next(now),
    ]
    for _ in range(60):
        world.random.choice(happenings)()
        db.session.commit()
    count_all(counter)

    kept_up = oracle.stored()
    assert kept_up == oracle.expected()
    assert len(kept_up) > 20
    counter.recount(now)
    assert oracle.stored() == kept_up


def test_a_change_made_while_a_day_is_counted_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1)
    world.send(5, day=date(2026, 2, 3), service=world.services[0])
    db.session.commit()
    usual = counting._corrected_months

    def meanwhile(*args: Any) -> Any:
        monkeypatch.undo()
        receipt = db.session.scalars(select(Receipt).order_by(Receipt.id)).first()
        assert receipt is not None
        receipt.exclusion, receipt.uncounted = Exclusion.SPAM, True
        db.session.commit()
        return usual(*args)

    monkeypatch.setattr(counting, "_corrected_months", meanwhile)
    counter = worker()
    counter.count_next(now)
    assert not work.is_idle()
    count_all(counter)
    assert oracle.stored() == oracle.expected()


def test_a_worker_that_lost_its_turn_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(2)
    world.send(4)
    db.session.commit()
    usual = counting._corrected_months

    def overtaken(*args: Any) -> Any:
        monkeypatch.undo()
        db.session.execute(text("UPDATE job_lease SET token = 'another' WHERE name = 'count'"))
        db.session.commit()
        return usual(*args)

    monkeypatch.setattr(counting, "_corrected_months", overtaken)
    assert worker().count_next(now) == 0
    assert db.session.scalars(select(Count)).all() == []
    assert db.session.scalars(select(JobLease).where(JobLease.name.startswith("recount/"))).all()


def test_only_one_worker_counts_at_a_time() -> None:
    world = World(3)
    world.send(4)
    db.session.commit()
    first, second = worker(), worker()
    assert first._take(NOW)
    assert second.count_next(now) == 0
    assert second.count_next(lambda: NOW + timedelta(minutes=1)) > 0


def test_days_that_hold_more_than_one_chunk_are_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(4)
    world.send(50, day=date(2026, 2, 3))
    world.send(50)
    db.session.commit()
    monkeypatch.setattr(contributions, "CHUNK", 7)
    monkeypatch.setattr(work, "CLEAR_AT_ONCE", 3)
    count_all()
    assert oracle.stored() == oracle.expected()


def test_an_expensive_day_is_left_alone_for_a_while() -> None:
    world = World(5)
    day = {"day": date(2026, 2, 3), "service": world.services[0]}
    world.send(3, **day)
    db.session.commit()
    counter = CountingWorker("patient", patience=1_000_000)
    assert counter.count_next(now) == 1
    world.send(3, **day)
    db.session.commit()
    assert counter.count_next(now) == 0
    count_all()


def test_counts_of_a_month_without_responses_disappear_on_recount() -> None:
    world = World(6)
    world.send(3)
    db.session.commit()
    count_all()
    moved = date(2024, 7, 1)
    db.session.execute(text('UPDATE "count" SET start = :day'), {"day": moved.isoformat()}) if (
        db.engine.dialect.name == "sqlite"
    ) else db.session.execute(text('DELETE FROM "count"'))
    db.session.commit()
    worker().recount(now)
    assert oracle.stored() == oracle.expected()


def test_the_index_on_what_is_uncounted_is_used() -> None:
    statement = str(work.changed().compile(db.engine, compile_kwargs={"literal_binds": True}))
    if db.engine.dialect.name == "sqlite":
        plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
        assert "ix_receipt_uncounted" in str(plan)
    else:
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        assert "ix_receipt_uncounted" in str(db.session.execute(text(f"EXPLAIN {statement}")).all())
