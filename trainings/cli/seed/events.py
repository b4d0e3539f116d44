"""The events of the demonstration: those of the history, and those that count from today."""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from trainings.cli.seed.days import consecutive_working_days, days_from_today
from trainings.cli.seed.files import Loading, Row, read
from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_instant, end_of_day
from trainings.events.details import Policy, apply_policy
from trainings.events.models import (
    Admission,
    Event,
    EventHost,
    EventSession,
    EventState,
    EventTemplate,
    EventTrainer,
    NumberSeries,
    Pool,
    Visibility,
)
from trainings.registrations.models import Contingent

OFFICE_OPENS = time(8)
SessionTimes = tuple[int, time, time, str]


@dataclass(frozen=True)
class _Dates:
    """When things happen in the life of an event.

    Attributes:
        days: the days of the event, by offset.
        opens_at: registration opens.
        published_at: None for a draft.
        cancelled_at: None unless it was called off.

    """

    days: list[date]
    opens_at: datetime
    published_at: datetime | None
    cancelled_at: datetime | None


def load_events(loading: Loading) -> None:
    """Load all events, number them by year in the order of their first days."""
    special = _special_sessions()
    for row in read("events"):
        first_day = date.fromisoformat(row["first_day"])
        times = special.get(row["key"]) or _default_sessions(loading, row)
        days = [first_day + timedelta(days=offset) for offset in range(_days_of(times))]
        # The history has happened: an event that is still to come on an earlier day of loading
        # would be planned twice, here and among the upcoming ones.
        if days[-1] < loading.today:
            _add(loading, row, times, _historical_dates(row, days))
    upcoming = read("upcoming")
    opens_in_days = {row["key"]: int(row["opens_in_days"]) for row in upcoming}
    for row in upcoming:
        times = _default_sessions(loading, row)
        _add(loading, row, times, _upcoming_dates(loading, row, times, opens_in_days))
    _number(loading)
    for row in (*read("events"), *upcoming):
        if row["replaced_by"] and row["key"] in loading.events:
            loading.events[row["key"]].replaced_by = loading.events.get(row["replaced_by"])
    loading.session.add_all(loading.events.values())
    loading.session.flush()
    _load_contingents(loading)
    _record_audit(loading)


def _special_sessions() -> dict[str, list[SessionTimes]]:
    found = defaultdict(list)
    for row in read("event_sessions"):
        found[row["event_key"]].append(_times(int(row["day_offset"]), row))
    return found


def _default_sessions(loading: Loading, row: Row) -> list[SessionTimes]:
    sessions = loading.templates[row["template_key"]].sessions
    return [(item.day - 1, item.begins, item.ends, item.label) for item in sessions]


def _times(offset: int, row: Row) -> SessionTimes:
    return (
        offset,
        time.fromisoformat(row["begins"]),
        time.fromisoformat(row["ends"]),
        row["label"],
    )


def _days_of(times: list[SessionTimes]) -> int:
    return 1 + max(offset for offset, *_ in times)


def _historical_dates(row: Row, days: list[date]) -> _Dates:
    published_at = berlin_instant(date.fromisoformat(row["published_on"]), OFFICE_OPENS)
    cancelled_on = row["cancelled_on"]
    return _Dates(
        days,
        opens_at=published_at,
        published_at=published_at,
        cancelled_at=berlin_instant(date.fromisoformat(cancelled_on), OFFICE_OPENS)
        if cancelled_on
        else None,
    )


def _upcoming_dates(
    loading: Loading, row: Row, times: list[SessionTimes], opens_in_days: dict[str, int]
) -> _Dates:
    def opening(key: str) -> datetime:
        return berlin_instant(loading.today + timedelta(days=opens_in_days[key]), OFFICE_OPENS)

    in_days = int(row["in_days"])
    number = _days_of(times)
    if in_days == 0:
        days = days_from_today(loading.today, number)
    else:
        days = consecutive_working_days(loading.today + timedelta(days=in_days), number)
    is_draft = EventState(row["state"]) is EventState.DRAFT
    is_cancelled = EventState(row["state"]) is EventState.CANCELLED
    opens_at = opening(row["key"])
    return _Dates(
        days,
        opens_at=opens_at,
        published_at=None if is_draft else min(opens_at, loading.now),
        # It was called off when its replacement opened (seed/README.md).
        cancelled_at=opening(row["replaced_by"]) if is_cancelled else None,
    )


def _add(loading: Loading, row: Row, times: list[SessionTimes], dates: _Dates) -> None:
    template = loading.templates[row["template_key"]]
    venue_key, room_key = row["venue_key"], row["room_key"]
    moved = bool(row.get("moved_from"))
    significant_changes = int(moved) + int(dates.cancelled_at is not None)
    created_at = dates.published_at or loading.now
    event = Event(
        uid=secrets.token_hex(16),
        template=template,
        kind=template.kind,
        title=row["title"],
        summary=template.summary,
        contents=template.contents,
        agenda=template.agenda,
        state=EventState(row["state"]),
        visibility=Visibility(row["visibility"]),
        pool=Pool(capacity=int(row["capacity"])),
        minimum=int(row["minimum"]),
        venue=loading.venues[venue_key] if venue_key else None,
        room=loading.rooms[venue_key, room_key] if room_key else None,
        first_day=dates.days[0],
        last_day=dates.days[-1],
        opens_at=dates.opens_at,
        **_deadlines(template, dates.days[0]),
        version=1 + significant_changes,
        sequence=significant_changes,
        created_at=created_at,
        changed_at=dates.cancelled_at or created_at,
        published_at=dates.published_at,
        cancelled_at=dates.cancelled_at,
        cancellation_reason=row["cancel_reason"],
    )
    apply_policy(event, _policy(row))
    for position, (offset, begins, ends, label) in enumerate(times):
        event.sessions.append(
            EventSession(
                position=position, day=dates.days[offset], begins=begins, ends=ends, label=label
            )
        )
    for position, key in enumerate(row["trainers"].split()):
        event.trainers.append(EventTrainer(person=loading.people[key], position=position))
    for key in row["hosts"].split():
        event.hosts.append(EventHost(organisation=loading.organisations[key]))
    loading.events[row["key"]] = event


def _policy(row: Row) -> Policy:
    words = row.get("policy", "").split()
    return Policy(
        needs_release="release" in words,
        admission=Admission.BY_OFFICE if "by_office" in words else Admission.IN_ORDER,
    )


def _deadlines(template: EventTemplate, first_day: date) -> dict[str, datetime]:
    def before(days: int) -> datetime:
        return end_of_day(first_day - timedelta(days=days))

    return {
        "closes_at": before(template.registration_deadline_days),
        "withdraw_until": before(template.withdrawal_deadline_days),
        "needs_until": before(template.needs_deadline_days),
    }


def _number(loading: Loading) -> None:
    last: Counter[int] = Counter()
    for _, event in sorted(loading.events.items(), key=lambda item: (item[1].first_day, item[0])):
        year = event.first_day.year
        last[year] += 1
        event.number = f"{year}-{last[year]:03d}"
    loading.session.add_all(NumberSeries(year=year, last=number) for year, number in last.items())


def _load_contingents(loading: Loading) -> None:
    for row in read("contingents"):
        event = loading.events[row["event_key"]]
        until = end_of_day(event.first_day - timedelta(days=int(row["until_days_before"])))
        loading.session.add(
            Contingent(
                pool_id=event.pool_id,
                organisation=loading.organisations[row["organisation_key"]],
                places=int(row["places"]),
                until=until,
            )
        )


def _record_audit(loading: Loading) -> None:
    actor = Actor(person_id=loading.coordinator.id)
    for event in loading.events.values():
        steps = [("event_created", event.created_at), ("event_published", event.published_at)]
        if event.cancelled_at:
            steps.append(("event_cancelled", event.cancelled_at))
        for action, at in steps:
            if at is not None:
                record(loading.session, actor, action, event, at, number=event.number)
