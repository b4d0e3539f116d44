"""Organisations, people, venues and templates of the demonstration."""

from __future__ import annotations

import secrets
from datetime import date, datetime, time

from trainings.cli.seed.files import Loading, read
from trainings.core.clock import berlin_instant
from trainings.core.permissions import Role
from trainings.core.text import sort_key
from trainings.events.details import Policy, apply_policy
from trainings.events.models import (
    AgendaItem,
    EventKind,
    EventTemplate,
    Room,
    TemplateSession,
    Venue,
    Visibility,
)
from trainings.organisations.models import (
    Level,
    Organisation,
    OrganisationDomain,
    OrganisationKind,
    Partnership,
)
from trainings.people import demo
from trainings.people.models import Account, OrganisationContact, Person, PersonRole
from trainings.people.passwords import hash_password

# When the office began to keep its records: before the first event of the history.
BEGINNING: datetime = berlin_instant(date(2020, 6, 22), time(9))


def load_organisations(loading: Loading) -> None:
    """Load the tree of organisations."""
    rows = read("organisations")
    for row in rows:
        loading.organisations[row["key"]] = Organisation(
            level=Level(row["level"]),
            name=row["name"],
            short_name=row["short_name"],
            sort_key=sort_key(row["name"]),
            kind=OrganisationKind(row["kind"]),
            partnership=Partnership(row["partnership"]),
            partner_since=_day_or_none(row["partner_since"]),
            mailbox=row["mailbox"],
            domains=[OrganisationDomain(domain=domain) for domain in row["domains"].split()],
        )
    for row in rows:
        if row["parent_key"]:
            parent = loading.organisations[row["parent_key"]]
            loading.organisations[row["key"]].parent = parent
    loading.session.add_all(loading.organisations.values())


def load_people(loading: Loading, *, with_passwords: bool) -> None:
    """Load persons, roles, contacts, and the accounts of those who have a task.

    Args:
        loading: what was loaded so far.
        with_passwords: give the demonstration logins their published password.

    """
    for row in read("people"):
        roles = [Role(role) for role in row["roles"].split()]
        unit = row["unit_key"]
        is_demo = row["key"] in demo.ROLES
        person = Person(
            key=row["key"] if is_demo else secrets.token_hex(16),
            title=row["title"],
            given_name=row["given_name"],
            family_name=row["family_name"],
            sort_key=sort_key(f"{row['family_name']} {row['given_name']}"),
            email=row["email"],
            organisation=loading.organisations[row["organisation_key"]],
            unit=loading.organisations[unit].name if unit else "",
            function=row["function"],
            created_at=BEGINNING,
            # The histories say that they registered themselves.
            informed_at=BEGINNING,
            roles=[PersonRole(role=role) for role in roles],
        )
        loading.people[row["key"]] = person
        if is_demo or set(roles) != {Role.PARTICIPANT}:
            hashed = hash_password(demo.PASSWORD) if is_demo and with_passwords else None
            person.account = Account(created_at=BEGINNING, password_hash=hashed)
        if Role.CONTACT in roles:
            loading.session.add(
                OrganisationContact(
                    organisation=person.organisation, person=person, is_deputy=row["deputy"] == "1"
                )
            )
    loading.session.add_all(loading.people.values())


def load_venues(loading: Loading) -> None:
    """Load venues and their rooms."""
    for row in read("venues"):
        key = row.pop("key")
        loading.venues[key] = Venue(**row)
    for row in read("rooms"):
        venue = loading.venues[row["venue_key"]]
        room = Room(venue=venue, name=row["name"], seats=int(row["seats"]))
        loading.rooms[row["venue_key"], row["key"]] = room
    loading.session.add_all(loading.venues.values())


def load_templates(loading: Loading) -> None:
    """Load the formats from which events are made, with their default sessions."""
    for row in read("templates"):
        loading.templates[row["key"]] = EventTemplate(
            kind=EventKind(row["kind"]),
            title=row["title"],
            summary=row["summary"],
            contents=row["contents"],
            aim=row["aim"],
            agenda=[_agenda_item(line) for line in row["agenda"].splitlines()],
            capacity=int(row["capacity"]),
            minimum=int(row["minimum"]),
            visibility=Visibility(row["visibility"]),
            registration_deadline_days=int(row["registration_deadline_days"]),
            withdrawal_deadline_days=int(row["withdrawal_deadline_days"]),
            needs_deadline_days=int(row["needs_deadline_days"]),
        )
        apply_policy(loading.templates[row["key"]], Policy())
    for row in read("template_sessions"):
        template = loading.templates[row["template_key"]]
        template.sessions.append(
            TemplateSession(
                position=len(template.sessions),
                day=int(row["day"]),
                begins=time.fromisoformat(row["begins"]),
                ends=time.fromisoformat(row["ends"]),
                label=row["label"],
            )
        )
    loading.session.add_all(loading.templates.values())


def _agenda_item(line: str) -> AgendaItem:
    """Read `DAY|HH:MM-HH:MM|title`; a title with `*` in front is a break."""
    day, span, title = line.split("|")
    begins, ends = span.split("-")
    return AgendaItem(
        day=int(day),
        begins=begins,
        ends=ends,
        title=title.removeprefix("*"),
        is_break=title.startswith("*"),
    )


def _day_or_none(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
