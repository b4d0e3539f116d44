"""The bytes of an event as calendar objects (RFC 5545, 5546, 7986).

The sessions of one day form one VEVENT; the days of an event are related to the first. An
invitation (iTIP) may hold one UID only (RFC 5546, section 3.2.2), so a mail carries one object for
each day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from urllib.parse import urlsplit

from icalendar import Event as VEvent
from icalendar import vCalAddress, vText

from trainings.core.clock import BERLIN
from trainings.core.settings import Settings, current_settings
from trainings.events.models import Event, EventState

# The time zone is written out because the library's generated one ends in 2038 and lists single
# changes, which ical.js (Thunderbird) reads an hour wrong in summer; these two rules are read right
# by all.
_HEAD = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Sicherheitskooperation Ruhr//Trainings//DE
METHOD:{method}
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
""".replace("\n", "\r\n")


@dataclass(frozen=True)
class CalendarDay:
    """The sessions of one day, from the first beginning to the last end."""

    day: date
    begins: time
    ends: time
    index: int


@dataclass(frozen=True)
class Invited:
    """Who a calendar object is for, in an invitation by mail.

    Attributes:
        name: of the person.
        email: of the person.
        sequence: how often this person's objects for this event have changed.

    """

    name: str
    email: str
    sequence: int


def calendar_days(event: Event) -> list[CalendarDay]:
    """Return the days of an event in order."""
    by_day = groupby(sorted(event.sessions, key=_when), key=lambda session: session.day)
    days = []
    for index, (day, sessions) in enumerate(by_day):
        of_day = list(sessions)
        ends = max(session.ends for session in of_day)
        days.append(CalendarDay(day, of_day[0].begins, ends, index))
    return days


def _when(session: object) -> tuple[date, time]:
    return session.day, session.begins  # type: ignore[attr-defined]


def place_line(event: Event) -> str:
    """Return venue, room and address in one line; empty where there is no venue yet."""
    if event.venue is None:
        return ""
    venue = event.venue
    room = event.room.name if event.room else ""
    return ", ".join(
        filter(None, (venue.name, room, venue.street, f"{venue.postcode} {venue.town}"))
    )


def public_object(event: Event, *, with_details: bool) -> bytes:
    """Return an event as a file that anybody can import (method PUBLISH).

    Args:
        event: with sessions and venue.
        with_details: whether venue and room are shown; else the town only.

    """
    settings = current_settings()
    where = place_line(event) if with_details else (event.venue.town if event.venue else "")
    days = calendar_days(event)
    components = [_vevent(event, day, days, where=where, settings=settings) for day in days]
    return _calendar("PUBLISH", components)


def invitations(
    event: Event, invited: Invited, *, cancelled: bool, dropped_days: Sequence[int] = ()
) -> list[tuple[str, str, str]]:
    """Return what a mail carries to set, update or remove somebody's calendar entries.

    Args:
        event: with sessions and venue.
        invited: for whom.
        cancelled: remove the entries (method CANCEL) instead of setting them (REQUEST).
        dropped_days: indexes of days that the event no longer has; they are always removed.

    Returns:
        File name, method and content, one for each day.

    """
    settings = current_settings()
    method = "CANCEL" if cancelled else "REQUEST"
    days = calendar_days(event)
    parts = []
    for day in days:
        component = _vevent(
            event, day, days, where=place_line(event), settings=settings, invited=invited
        )
        if cancelled:
            component["STATUS"] = vText("CANCELLED")
        parts.append(_part(event, day.index, method, component))
    for index in dropped_days:
        gone = CalendarDay(days[0].day, days[0].begins, days[0].ends, index)
        component = _vevent(event, gone, days, where="", settings=settings, invited=invited)
        component["STATUS"] = vText("CANCELLED")
        parts.append(_part(event, index, "CANCEL", component))
    return parts


def _part(event: Event, index: int, method: str, component: VEvent) -> tuple[str, str, str]:
    name = f"{event.number}-tag-{index + 1}.ics"
    return name, method, _calendar(method, [component]).decode("utf-8")


def _calendar(method: str, components: Iterable[VEvent]) -> bytes:
    # Only the head is written by hand: the library would build its parts anew each time.
    events = [component.to_ical() for component in components]
    return b"".join([_HEAD.format(method=method).encode(), *events, b"END:VCALENDAR\r\n"])


def _vevent(
    event: Event,
    day: CalendarDay,
    days: Sequence[CalendarDay],
    *,
    where: str,
    settings: Settings,
    invited: Invited | None = None,
) -> VEvent:
    component = VEvent()
    component.add("UID", _uid(event, day.index, settings))
    # The instant of the last change, not of the serialising: the bytes stay the same until then.
    component.add("DTSTAMP", event.changed_at)
    component.add("LAST-MODIFIED", event.changed_at)
    component.add("SEQUENCE", event.sequence + (invited.sequence if invited else 0))
    component.add("DTSTART", datetime.combine(day.day, day.begins, tzinfo=BERLIN))
    component.add("DTEND", datetime.combine(day.day, day.ends, tzinfo=BERLIN))
    title = event.title if len(days) == 1 else f"{event.title} ({day.index + 1}. Tag)"
    component.add("SUMMARY", title)
    if where:
        component.add("LOCATION", where)
    component.add("URL", f"{settings.base_url}/veranstaltungen/{event.number}")
    component.add("STATUS", "CANCELLED" if event.state is EventState.CANCELLED else "CONFIRMED")
    if day.index > 0:
        component.add("RELATED-TO", _uid(event, 0, settings))
    if invited is not None:
        organizer = vCalAddress(f"mailto:{settings.mail_from}")
        organizer.params["CN"] = vText(settings.office)
        component["ORGANIZER"] = organizer
        attendee = vCalAddress(f"mailto:{invited.email}")
        attendee.params["CN"] = vText(invited.name.replace('"', "'"))
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        component["ATTENDEE"] = attendee
    return component


def _uid(event: Event, index: int, settings: Settings) -> str:
    return f"{event.uid}-{index + 1}@{urlsplit(settings.base_url).hostname}"
