"""What a manager's home page shows: their services by agency, and what needs attention among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.agencies.queries import agency_name, service_name
from citizenvoice.indicators.estimating import StatusOf
from citizenvoice.indicators.service_overviews import Overview
from citizenvoice.reporting.figures import NO_CHANGE, ShownFigure, shown_figure
from citizenvoice.stats.comparisons import Change, Verdict, judge_together
from citizenvoice.stats.status import Status
from citizenvoice.web import languages


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One service on its manager's home page."""

    slug: str
    name: str
    main: ShownFigure | None
    n_responses: int
    n_unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRows:
    """The services of one agency."""

    name: str
    rows: tuple[ServiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """A manager's services by agency, what needs attention among them, and where the next page begins."""

    agencies: tuple[AgencyRows, ...]
    attention: str
    worrying: tuple[ServiceRow, ...]
    next_after: str | None


def home_page(
    services: Sequence[Service], overviews: Mapping[int, Overview], next_after: str | None
) -> HomePage:
    """Return the home page of these services; changes are judged together, because there are many."""
    language = languages.page_language()
    changes = [_change_of(overviews[service.id]) for service in services]
    rows = [
        (service.agency, _service_row(service, overviews[service.id], change, language))
        for service, change in zip(services, judge_together(changes), strict=True)
    ]
    groups: dict[int, tuple[Agency, list[ServiceRow]]] = {}
    for agency, row in rows:
        groups.setdefault(agency.id, (agency, []))[1].append(row)
    every = [row for _agency, row in rows]
    return HomePage(
        agencies=tuple(
            AgencyRows(name=agency_name(agency, language), rows=tuple(found))
            for agency, found in groups.values()
        ),
        attention=attention(every),
        worrying=tuple(row for row in every if is_off_track(row) or is_worse(row)),
        next_after=next_after,
    )


def is_off_track(row: ServiceRow) -> bool:
    """Tell whether a service's main indicator is off track."""
    return row.main is not None and row.main.status == "off_track"


def is_worse(row: ServiceRow) -> bool:
    """Tell whether a service's main indicator is worse than in the period before."""
    return row.main is not None and row.main.change.verdict is Verdict.WORSE


def attention(rows: Sequence[ServiceRow]) -> str:
    """Say in a sentence what needs attention among these services."""
    n_off = sum(is_off_track(row) for row in rows)
    n_worse = sum(is_worse(row) for row in rows)
    off = ngettext("%(num)s service is off track", "%(num)s services are off track", n_off)
    worse = ngettext(
        "%(num)s is worse than in the period before", "%(num)s are worse than in the period before", n_worse
    )
    if n_off and n_worse:
        return str(_("%(off_track)s, and %(worse)s.", off_track=off, worse=worse))
    if n_off:
        return str(
            _("%(off_track)s; none is distinguishably worse than in the period before.", off_track=off)
        )
    if n_worse:
        one = ngettext(
            "No service is off track, but %(num)s is worse than in the period before.",
            "No service is off track, but %(num)s are worse than in the period before.",
            n_worse,
        )
        return str(one)
    return str(_("No service is off track, and none is distinguishably worse than in the period before."))


def _change_of(overview: Overview) -> Change:
    return overview.change or NO_CHANGE


def _service_row(service: Service, overview: Overview, change: Change, language: str) -> ServiceRow:
    main = None
    if overview.main and overview.latest:
        status = overview.status or StatusOf(Status.NO_TARGET, None)
        main = shown_figure(overview.found, overview.latest, overview.spark, status, change)
    return ServiceRow(
        slug=service.slug,
        name=service_name(service, language),
        main=main,
        n_responses=overview.n_responses,
        n_unread=overview.n_unread,
    )
