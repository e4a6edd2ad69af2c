"""Figures from stored counts equal those worked out from the responses, in a fixed number of statements."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from citizenvoice.agencies.models import ServiceVolume
from citizenvoice.db import db
from citizenvoice.errors import DomainError, NotFoundError
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.indicators import (
    actions,
    estimating,
    key_drivers,
    pooling,
    service_indicators,
    service_overviews,
    service_volumes,
    theme_tables,
)
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.indicators.pooling import Slice
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.stats import drivers as driver_analysis
from citizenvoice.stats.comparisons import Verdict
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.periods import PeriodKind, latest, period_of
from citizenvoice.stats.status import Status
from citizenvoice.surveys.models import Response
from tests.factories import ServiceFactory
from tests.integration.indicators.world import NOW, World, everything_definition

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[[], AbstractContextManager[list[str]]]
START, END = date(2026, 1, 25), date(2026, 3, 3)  # ragged at both ends


def count() -> None:
    db.session.commit()
    worker = CountingWorker(secrets.token_hex(8), patience=0)
    while worker.count_next(lambda: NOW):
        pass


@pytest.fixture
def world() -> World:
    world = World(11)
    world.send(400)
    for _ in range(40):
        world.exclude(world.random.choice(list(Exclusion)))
    world.read_some(limit=300)
    count()
    return world


def indicators(world: World) -> ServiceIndicators:
    return service_indicators.indicators_of(world.services[0].id)


def responses(world: World, **where: Any) -> list[tuple[Receipt, Response]]:
    found = (
        select(Receipt, Response)
        .join(Response, Response.id == Receipt.id)
        .where(Receipt.service_id == world.services[0].id, Receipt.day >= START, Receipt.day < END)
        .where(Receipt.exclusion.is_(None))
        .filter_by(**where)
        .order_by(Receipt.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(found)]


def ratings(found: list[tuple[Receipt, Response]], key: str) -> list[int]:
    return [r.answers[key] for _, r in found if isinstance(r.answers.get(key), int)]


def code(world: World, place: str) -> str:
    return f"{world.survey.slug}/{place}"


def test_a_share_counts_exactly_the_days_asked_for(world: World) -> None:
    found = indicators(world)
    figure = estimating.find_estimate(found, found.get(code(world, "overall/top2_v1")), START, END)
    given = ratings(responses(world), "overall")
    assert figure.estimate
    assert figure.estimate.n == len(given)
    assert figure.estimate.value == sum(value >= 4 for value in given) / len(given)
    assert figure.n_responses == len(responses(world))


def test_every_part_of_the_people_can_be_asked_for(world: World) -> None:
    found = indicators(world)
    mean = found.get(code(world, "overall/mean_v1"))
    parts = {
        Slice(channel="website"): responses(world, channel="website"),
        Slice(language="es"): responses(world, language="es"),
        Slice(segment="sex", value="f"): [p for p in responses(world) if p[1].segments.get("sex") == "f"],
        Slice(channel="website", segment="needs", value="sight"): [
            p for p in responses(world, channel="website") if "sight" in p[1].segments.get("needs", [])
        ],
    }
    for part, members in parts.items():
        figure = estimating.find_estimate(found, mean, START, END, part)
        given = ratings(members, "overall")
        assert figure.result.n == len(given)
        assert figure.estimate is None or figure.estimate.value == pytest.approx(sum(given) / len(given))


def test_what_is_left_out_is_counted_by_reason(world: World) -> None:
    found = indicators(world)
    figure = estimating.find_estimate(found, found.get(code(world, "ease/top2_v1")), START, END)
    everyone = responses(world)
    answers = [response.answers.get("ease") for _, response in everyone]
    left = figure.exclusions
    assert (left.dont_know, left.not_applicable, left.blank) == (
        answers.count("dk"),
        answers.count("na"),
        answers.count(None),
    )
    in_range = Receipt.service_id == world.services[0].id, Receipt.day >= START, Receipt.day < END
    for reason in Exclusion:
        n = db.session.scalar(select(func.count()).where(*in_range, Receipt.exclusion == reason))
        assert getattr(left, reason.value) == n
    assert sum(n for _, n in left.listed()) == sum(answers.count(a) for a in ("dk", "na", None)) + (
        left.withdrawn + left.spam + left.duplicate + left.test
    )


def test_a_driver_share_is_of_those_it_was_offered_to(world: World) -> None:
    found = indicators(world)
    figure = estimating.find_estimate(
        found, found.get(code(world, "why_bad.speed/driver_share_v1")), START, END
    )
    offered = [r for _, r in responses(world) if r.answers.get("overall") in {1, 2}]
    assert figure.estimate
    assert figure.estimate.n == len(offered)
    assert figure.estimate.value == sum("speed" in r.answers.get("why_bad", []) for r in offered) / len(
        offered
    )
    assert figure.exclusions.not_asked == len(responses(world)) - len(offered)


def test_numbers_choices_sentiments_and_themes_have_figures(world: World) -> None:
    found = indicators(world)
    wanted = ("visits/number_mean_v1", "again.yes/choice_share_v1", "comments.negative/sentiment_share_v1")
    visits, again, negative = estimating.figures(
        found, [found.get(code(world, w)) for w in wanted], START, END
    )
    numbers = [r.answers["visits"] for _, r in responses(world) if "visits" in r.answers]
    choices = [r.answers["again"] for _, r in responses(world) if "again" in r.answers]
    assert visits.estimate
    assert visits.estimate.value == pytest.approx(sum(numbers) / len(numbers))
    assert again.estimate
    assert again.estimate.value == choices.count("yes") / len(choices)
    assert negative.estimate
    assert 0 < negative.estimate.value < 1
    theme = estimating.find_estimate(
        found, found.get(code(world, "theme.waiting/theme_share_v1")), START, END
    )
    assert theme.estimate
    ids = [receipt.id for receipt, _ in responses(world)]
    read = select(func.count()).where(Comment.receipt_id.in_(ids), Comment.reading == Reading.DONE)
    assert theme.estimate.n == db.session.scalar(read)


@pytest.mark.parametrize("kind", list(PeriodKind))
def test_a_series_is_its_periods_one_by_one_in_one_statement(
    world: World, kind: PeriodKind, queries_sent: Record
) -> None:
    found = indicators(world)
    definitions = found.headlines
    periods = latest(4, period_of(date(2026, 2, 20), kind, 4))
    with queries_sent() as sent:
        series = estimating.series(found, definitions, periods)
    assert len(sent) == 1
    for definition in definitions:
        for period, figure in zip(periods, series[definition.code], strict=True):
            alone = estimating.find_estimate(found, definition, period.start, period.end_exclusive)
            assert figure.result == alone.result


@pytest.mark.parametrize(
    "end", [date(2026, 3, 1), date(2026, 2, 18)], ids=["whole months", "months and days"]
)
def test_a_breakdown_is_its_parts_one_by_one_in_one_statement(
    world: World, end: date, queries_sent: Record
) -> None:
    found, start = indicators(world), date(2026, 1, 1)
    parts = [
        *(Slice(channel=channel) for channel in ("website", "in_person", "telephone")),
        *(Slice(language=language) for language in ("en", "es")),
        *(Slice(segment="sex", value=value) for value in ("f", "m")),
        Slice(segment="needs", value="sight"),
        Slice(channel="website", language="en", segment="sex", value="f"),
        Slice(channel="website", language="es"),
    ]
    for definition in found.definitions:
        with queries_sent() as sent:
            figures = estimating.breakdown(found, definition, start, end, parts)
        assert len(sent) == 1
        alone = [estimating.find_estimate(found, definition, start, end, part) for part in parts]
        assert [(one.result, one.n_responses, one.exclusions) for one in figures] == [
            (one.result, one.n_responses, one.exclusions) for one in alone
        ]


@pytest.fixture
def queries_sent(request: pytest.FixtureRequest) -> Record:
    record: Record = request.getfixturevalue("queries")
    return record


def test_a_year_is_read_from_month_rows_alone(world: World, queries_sent: Record) -> None:
    found = indicators(world)
    with queries_sent() as sent:
        figures = estimating.figures(found, found.definitions, date(2026, 1, 1), date(2027, 1, 1))
    assert len(sent) == 1
    pools = pooling._read(
        [world.services[0].id],
        {("month", date(2026, month, 1)) for month in range(1, 13)},
        pooling.EVERYBODY,
        with_pairs=False,
    )
    assert {row.grain for row in pools} == {"month"}
    assert figures[0].n_responses > 0


def test_themes_come_with_the_score_with_and_without_them(world: World) -> None:
    found = indicators(world)
    table = theme_tables.theme_table(found, START, END)
    assert {row.key for row in table.rows} >= {"waiting", "staff"}
    assert table.n_comments == table.n_read + table.n_unread + table.n_failed
    assert isinstance(table.score, Estimate)
    first = table.rows[0]
    assert isinstance(first.score_with, Estimate)
    assert isinstance(first.score_without, Estimate)
    n_with, n_without = first.score_with.n, first.score_without.n
    pooled = (first.score_with.value * n_with + first.score_without.value * n_without) / (n_with + n_without)
    assert pooled == pytest.approx(table.score.value)
    assert first.contribution == pytest.approx(table.score.value - first.score_without.value)


def test_drivers_equal_an_analysis_of_the_answers_themselves(world: World) -> None:
    found = indicators(world)
    main = found.main
    assert main
    assert main.question == "overall"
    analysis = key_drivers.drivers(found, main, START, END)
    rows = [response.answers for _, response in responses(world)]
    values = {
        key: [row.get(key) if isinstance(row.get(key), int) else None for row in rows]
        for key in ("overall", "ease", "speed")
    }
    given = {key: [v for v in column if v is not None] for key, column in values.items()}
    chosen = [driver_analysis.Driver(k, len(given[k]), sum(given[k])) for k in ("ease", "speed")]
    direct = driver_analysis.key_drivers(chosen, "overall", driver_analysis.pair_sums(values))
    assert isinstance(analysis, driver_analysis.DriverAnalysis)
    assert isinstance(direct, driver_analysis.DriverAnalysis)
    assert analysis.r_squared == pytest.approx(direct.r_squared)
    assert [d.key for d in analysis.drivers] == [d.key for d in direct.drivers]


def test_a_new_wording_starts_a_new_series(world: World) -> None:
    data = everything_definition()
    data["sections"][0]["questions"][0]["text"] = {"en": "All in all?"}
    second = world.publish_again(data)
    world.send(30, version=second, service=world.services[0], day=date(2026, 2, 2))
    count()
    found = indicators(world)
    old, new = found.get(code(world, "overall/mean_v1")), found.get(code(world, "overall/mean_v1@2"))
    assert (old.is_current, new.is_current) == (False, True)
    assert new.version_ids == (second.id,)
    assert found.get(code(world, "ease/mean_v1")).version_ids == (world.versions[0].id, second.id)
    day = date(2026, 2, 2), date(2026, 2, 3)
    assert estimating.find_estimate(found, new, *day).result.n <= 30
    joined = estimating.change(
        estimating.find_estimate(found, old, START, END), estimating.find_estimate(found, new, START, END)
    )
    assert joined.verdict is Verdict.NOT_ENOUGH


def test_a_difference_that_is_large_enough_is_called_one() -> None:
    world = World(12)
    for day, good in ((date(2026, 1, 10), 20), (date(2026, 2, 10), 80)):
        for n in range(100):
            answers = {"overall": 5 if n < good else 1}
            world.send(1, day=day, answers=answers, service=world.services[0], words=[], exclusion=None)
    count()
    found = indicators(world)
    share = found.get(code(world, "overall/top2_v1"))
    months = latest(2, period_of(date(2026, 2, 1), PeriodKind.MONTH))
    before, after = estimating.series(found, [share], months)[share.code]
    change = estimating.change(before, after)
    assert change.difference == pytest.approx(0.6)
    assert change.verdict is Verdict.BETTER
    assert estimating.change(after, after).verdict is Verdict.NO_DISTINGUISHABLE_CHANGE


def test_few_answers_give_no_figure_and_nobody_can_go_below_five() -> None:
    world = World(13)
    world.send(7, answers={"overall": 4}, service=world.services[0], day=date(2026, 2, 2))
    count()
    share = code(world, "overall/top2_v1")
    found = indicators(world)
    assert estimating.find_estimate(found, found.get(share), START, END).result == NotEnough(7, 10)
    actions.set_minimum(world.services[0].id, share, 5, NOW)
    found = indicators(world)
    assert estimating.find_estimate(found, found.get(share), START, END).estimate
    assert service_indicators.indicators_of(world.services[0].id, minimum=1).minimum(code(world, "x")) == 5


def test_the_status_follows_the_interval_on_the_way_to_the_target(world: World) -> None:
    service_id, mean = world.services[0].id, code(world, "overall/mean_v1")
    found = indicators(world)
    figure = estimating.find_estimate(found, found.get(mean), START, END)
    assert figure.estimate
    assert estimating.status_of(found, figure).status is Status.NO_TARGET
    for target, status in (
        (1.0, Status.ON_TRACK),
        (5.0, Status.OFF_TRACK),
        (figure.estimate.value, Status.NOT_DISTINGUISHABLE),
    ):
        actions.set_target(service_id, mean, target, date(2026, 1, 1), NOW)
        assert estimating.status_of(indicators(world), figure).status is status
    actions.set_target(service_id, mean, 5.0, date(2026, 12, 31), NOW)
    actions.set_baseline(service_id, mean, 1.0, date(2025, 12, 31), NOW)
    required = estimating.status_of(indicators(world), figure).required
    assert required
    assert 1 < required < 2


def test_a_target_lies_on_the_scale(world: World) -> None:
    service_id = world.services[0].id
    for indicator, beyond in (("overall/mean_v1", 5.1), ("overall/top2_v1", 1.1)):
        with pytest.raises(DomainError, match="between"):
            actions.set_target(service_id, code(world, indicator), beyond, date(2026, 12, 31), NOW)


def test_the_chosen_main_indicator_comes_first(world: World) -> None:
    assert indicators(world).main is indicators(world).definitions[0]
    actions.set_main(world.services[0].id, code(world, "ease/top2_v1"), NOW)
    actions.set_main(world.services[0].id, code(world, "speed/mean_v1"), NOW)
    main = indicators(world).main
    assert main
    assert main.code == code(world, "speed/mean_v1")
    assert main in indicators(world).headlines
    actions.set_public(world.services[0].id, main.code, is_public=False, now=NOW)
    assert main not in indicators(world).public


def test_an_unknown_indicator_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        indicators(world).get("nothing/at/all")


def test_rates_compare_the_days_and_channels_whose_volumes_are_known(world: World) -> None:
    service = world.services[0]
    february = {"start": date(2026, 2, 1), "end": date(2026, 3, 1), "service_id": service.id}
    db.session.add(ServiceVolume(**february, channel="website", n_served=1000, n_offered=500))
    db.session.add(ServiceVolume(**february, channel="in_person", n_served=1, n_offered=None))
    db.session.flush()
    volume = service_volumes.volumes([service.id, world.services[1].id], date(2026, 1, 1), date(2026, 4, 1))[
        service.id
    ]
    in_february = [receipt for receipt, _ in responses(world, channel="website") if receipt.day.month == 2]
    website = volume.per_channel["website"]
    assert website.response_rate == len(in_february) / 500
    assert website.offer_rate == 0.5
    assert volume.n_offered is None
    assert volume.per_channel["in_person"].coverage is None  # more answered than were served
    total = select(func.count()).where(Receipt.service_id == service.id, Receipt.exclusion.is_(None))
    assert volume.n_responses == db.session.scalar(total)


@pytest.mark.parametrize("n_services", [1, 3])
def test_the_overview_costs_the_same_for_any_number_of_services(
    n_services: int, queries_sent: Record
) -> None:
    world = World(20, n_services=n_services)
    world.send(200)
    count()
    ids = [service.id for service in world.services]
    with queries_sent() as sent:
        overview = service_overviews.service_overview(ids, PeriodKind.MONTH, date(2026, 2, 20))
    assert len(sent) <= 7
    for service_id in ids:
        row = overview[service_id]
        assert row.latest
        assert row.main
        assert row.latest.start in {date(2026, 1, 1), date(2026, 2, 1)}
        assert len(row.spark) == 12
        alone = estimating.find_estimate(row.found, row.main, row.latest.start, row.latest.end)
        assert alone.result == row.latest.result


def test_a_service_without_a_survey_has_no_indicators() -> None:
    service = ServiceFactory.create()
    found = service_indicators.indicators_of(service.id)
    assert found.main is None
    assert found.definitions == ()
    assert theme_tables.theme_table(found, START, END).rows == ()
    overview = service_overviews.service_overview([service.id], PeriodKind.MONTH, date(2026, 2, 20))[
        service.id
    ]
    assert (overview.latest, overview.n_responses) == (None, 0)


def test_segments_are_offered_with_their_words(world: World) -> None:
    sex, needs = service_indicators.segments_of(indicators(world))
    assert sex.title("en") == "Sex"
    assert sex.value_titles("en") == [("f", "F"), ("m", "M")]
    assert needs.key == "needs"


def test_one_new_answer_moves_the_figure_by_exactly_that_answer() -> None:
    world = World(30)
    world.send(10, answers={"overall": 1}, service=world.services[0], day=date(2026, 2, 2))
    count()
    found = indicators(world)
    share = found.get(code(world, "overall/top2_v1"))
    (receipt_id,) = world.send(1, answers={"overall": 5}, service=world.services[0], day=date(2026, 2, 2))
    count()
    moved = estimating.find_estimate(found, share, START, END).estimate
    assert moved
    assert (moved.value, moved.n) == (1 / 11, 11)
    withdrawn = db.session.get_one(Receipt, receipt_id)
    withdrawn.exclusion, withdrawn.uncounted = Exclusion.WITHDRAWN, True
    count()
    back = estimating.find_estimate(found, share, START, END)
    assert back.estimate
    assert (back.estimate.value, back.estimate.n, back.exclusions.withdrawn) == (0, 10, 1)
