"""The queue of comments: leases, failures, annotations and the full-text index."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text, update

from citizenvoice.analysis import actions, queries, reading
from citizenvoice.analysis.models import Annotation, Prediction
from citizenvoice.analysis.reading import CodebookReader, ReadingWorker
from citizenvoice.config import ConfigError, config_from
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment, Reading, Receipt
from citizenvoice.nlp.reader import Reading as Read
from citizenvoice.nlp.reader import ThemeReading
from tests.factories import UserFactory
from tests.integration.indicators.world import NOW, World

pytestmark = pytest.mark.usefixtures("database")


class Reader:
    """A reader for the queue to drive: reads everything as negative and chokes on poison."""

    def __init__(self) -> None:
        self.ratings: list[int | None] = []

    def read(
        self,
        texts: Sequence[str],
        *,
        prompts: Sequence[str | None] | None = None,  # noqa: ARG002
        languages: Sequence[str | None] | None = None,  # noqa: ARG002
        ratings: Sequence[int | None] | None = None,
    ) -> list[Read]:
        self.ratings = [*self.ratings, *(ratings or [])]
        if "poison" in texts:
            raise RuntimeError("poison")
        found = (ThemeReading("waiting", 0.9, "neg", 0.8), ThemeReading("staff", 0.9, "neg", 0.8, True))
        return [Read("en", 1.0, 2, (0.1, 0.6, 0.1, 0.1, 0.1), found) for _ in texts]


@pytest.fixture
def world() -> World:
    return World(1)


def worker(world: World, seconds: int = 0, reads: Reader | None = None) -> ReadingWorker:
    themes = {theme.key: theme.id for theme in world.themes}
    reader = CodebookReader(reads or Reader(), world.model.id, themes)
    return ReadingWorker(
        codebooks_of=lambda ids: dict.fromkeys(ids, "public_service"),
        reader_for=lambda _key: reader,
        now=lambda: NOW + timedelta(seconds=seconds),
    )


def send(world: World, words: list[str]) -> None:
    world.send(1, words=words)
    db.session.commit()


def state(text: str) -> str:
    db.session.expire_all()
    return db.session.scalars(select(Comment.reading).where(Comment.text == text)).one()


def test_what_was_read_is_written_down_indexed_and_will_be_counted(world: World) -> None:
    send(world, ["So slow", "Long queue"])
    db.session.execute(update(Receipt).values(uncounted=False))
    db.session.commit()
    assert worker(world).read_next() == 2
    assert worker(world).read_next() == 0
    found = db.session.scalars(select(Prediction).order_by(Prediction.comment_id)).all()
    assert [(p.sentiment, p.confidence, [t.theme.key for t in p.themes]) for p in found] == [
        (2, 0.6, ["waiting"])
    ] * 2
    assert db.session.scalars(select(Receipt.uncounted)).all() == [True]
    assert found_by("queue") == ["Long queue"]


def test_the_rating_given_with_the_words_is_passed_on_as_one_of_five(world: World) -> None:
    send(world, ["A", "B", "C", "D"])
    for said, rating in (("A", 0), ("B", 75), ("C", 100), ("D", None)):
        db.session.execute(update(Comment).where(Comment.text == said).values(rating=rating))
    db.session.commit()
    reads = Reader()
    worker(world, reads=reads).read_next()
    assert reads.ratings == [1, 4, 5, None]


def test_the_reader_can_be_told_to_look_at_the_words_alone() -> None:
    settings = {"SECRET_KEY": "x" * 32, "READER_IGNORES": "ratings,questions"}
    assert config_from(settings)["READER_IGNORES"] == {"ratings", "questions"}
    with pytest.raises(ConfigError, match="READER_IGNORES"):
        config_from(settings | {"READER_IGNORES": "moods"})


def test_one_poisonous_comment_fails_alone(world: World) -> None:
    send(world, ["Good", "poison", "Bad"])
    for attempt in range(8):
        worker(world, seconds=10 * attempt).read_next()
    assert (state("Good"), state("Bad"), state("poison")) == (Reading.DONE, Reading.DONE, Reading.FAILED)
    assert len(db.session.scalars(select(Prediction)).all()) == 2


def test_a_comment_that_workers_die_over_is_taken_alone_and_given_up(world: World) -> None:
    send(world, ["Deadly", "Fine"])
    later = NOW
    for attempt in range(reading.MAX_ATTEMPTS + 1):  # each worker takes it and is never heard of again
        taken = reading.claim(f"worker {attempt}", later, limit=10)
        for one in taken:
            if one.text == "Fine" and one.attempts == reading.SUSPECT + 1:
                assert len(taken) == 1
        later += timedelta(hours=1)
    while reading.claim("last", later := later + timedelta(hours=1)):
        pass
    assert state("Deadly") == Reading.FAILED


def test_a_lease_that_ran_out_belongs_to_whoever_took_it_next(world: World) -> None:
    send(world, ["Mine"])
    first = reading.claim("first", NOW)
    assert reading.claim("second", NOW + timedelta(seconds=1)) == []
    second = reading.claim("second", NOW + reading.LEASE + timedelta(seconds=1))
    read = {one.id: (worker(world).reader_for(""), Reader().read(["x"])[0]) for one in first}
    assert reading.finish("first", first, read, NOW) == 0
    assert reading.finish("second", second, read, NOW) == 1
    assert reading.finish("second", second, read, NOW) == 0


def test_a_person_corrects_what_was_read_and_both_are_kept(world: World) -> None:
    send(world, ["Slow"])
    worker(world).read_next()
    comment = db.session.scalars(select(Comment)).one()
    staff = next(theme for theme in world.themes if theme.key == "staff")
    user = UserFactory.create()
    actions.annotate(comment, user.id, sentiment=5, themes=None, now=NOW)
    first = queries.reading_of([comment.id])[comment.id]
    assert (first.sentiment, first.predicted_sentiment) == (5, 2)
    assert first.themes == tuple(theme for theme, _ in first.predicted_themes)
    actions.annotate(comment, user.id, sentiment=None, themes=[staff.id], now=NOW)
    second = queries.reading_of([comment.id])[comment.id]
    assert (second.sentiment, second.themes, second.annotated_by) == (2, (staff.id,), user.id)
    with_staff = select(Comment.id).where(queries.has_theme(staff.id))
    assert db.session.scalars(with_staff).all() == [comment.id]
    waiting = next(theme for theme in world.themes if theme.key == "waiting")
    assert db.session.scalars(select(Comment.id).where(queries.has_theme(waiting.id))).all() == []
    assert len(queries.annotations_of(comment.id)) == 2
    assert len(db.session.scalars(select(Annotation).where(Annotation.superseded_at.is_(None))).all()) == 1


def test_an_annotation_must_make_sense(world: World) -> None:
    send(world, ["Slow"])
    comment = db.session.scalars(select(Comment)).one()
    with pytest.raises(DomainError):
        actions.annotate(comment, 1, sentiment=6, themes=None, now=NOW)
    with pytest.raises(DomainError):
        actions.annotate(comment, 1, sentiment=None, themes=[999_999], now=NOW)


def found_by(sought: str) -> list[str]:
    condition = search.matches(sought)
    assert condition is not None
    return list(db.session.scalars(select(Comment.text).where(condition).order_by(Comment.id)))


def test_words_phrases_beginnings_and_exclusions_find_comments(world: World) -> None:
    texts = ["The queue was LONG", "A long, long queue", "Atención pésima", "Waiting for an hour"]
    send(world, texts)
    worker(world).read_next()
    assert found_by("long queue") == texts[:2]
    assert found_by('"long queue"') == [texts[1]]
    assert found_by("atencion") == [texts[2]]
    assert found_by("wait*") == [texts[3]]
    assert found_by("queue -was") == [texts[1]]
    for odd in ('"', "*", "-", "'; DROP", "NEAR(", "a:b", "\x00", "AND OR NOT", "-only"):
        condition = search.matches(odd)
        if condition is not None:
            assert isinstance(db.session.scalars(select(Comment.id).where(condition)).all(), list)


def test_what_is_forgotten_is_not_found_and_the_index_can_be_filled_anew(world: World) -> None:
    send(world, ["First secret", "Second secret"])
    worker(world).read_next()
    first = db.session.scalars(select(Comment).order_by(Comment.id)).first()
    assert first is not None
    search.forget_comment(first.id, first.text)
    assert found_by("secret") == ["Second secret"]
    assert search.reindex() == 2
    assert found_by("secret") == ["First secret", "Second secret"]


def test_the_queue_is_read_from_its_own_index(world: World) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by its statistics")
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    reading.claim("token", NOW)
    event.remove(db.engine, "before_cursor_execute", note)
    queue = next(one for one in seen if "lease_until <" in one)
    inner = queue[queue.index("(SELECT") + 1 : queue.index(")", queue.index("LIMIT"))].replace("?", "1")
    plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {inner}")).all()
    assert "ix_comment_unread" in str(plan)
