"""The frame of every page: navigation by role, the person at the right, the foot."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.permissions import Permission, Role
from trainings.core.settings import Settings
from trainings.events.models import KIND_NAMES
from trainings.people.sessions import LoggedIn, logged_in


@dataclass(frozen=True)
class Item:
    """A link of the navigation."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class ShellPerson:
    """Who is logged in, as the head of the page shows it."""

    name: str
    subtitle: str
    url: str


@dataclass(frozen=True)
class Shell:
    """What the layout needs on every page."""

    product: str
    office: str
    navigation: list[list[Item]]
    person: ShellPerson | None
    login_url: str
    address: tuple[str, ...]
    footer: list[tuple[str, str]]


Link = tuple[str, str, Permission]

# Groups of (label, endpoint, permission); a thin line divides the groups. The office plans where
# others register, so it has a navigation of its own: with both, nobody would find anything.
NAVIGATION: tuple[tuple[Link, ...], ...] = (
    (
        ("Veranstaltungen", "registrations.event_list", Permission.PUBLIC),
        ("Meine Anmeldungen", "registrations.my_registrations", Permission.REGISTER),
    ),
    (
        ("Meine Organisation", "registrations.organisation_page", Permission.ORGANISATION),
        ("Taschenkarten", "card_stock.overview", Permission.CARDS),
    ),
    (
        ("Anwesenheit", "attendance.my_events", Permission.ATTENDANCE),
        ("Kartenausgabe", "card_handouts.event_overview", Permission.ATTENDANCE),
        ("Rückmeldungen", "feedback_results.home", Permission.FEEDBACK),
    ),
)
OFFICE_NAVIGATION: tuple[tuple[Link, ...], ...] = (
    (
        ("Mein Tag", "office.desk", Permission.OFFICE),
        ("Veranstaltungen", "office.event_list", Permission.OFFICE),
        ("Organisationen", "office.organisation_list", Permission.OFFICE),
        ("Personen", "office.person_list", Permission.OFFICE),
        ("Taschenkarten", "card_stock.overview", Permission.OFFICE),
        ("Rückmeldungen", "feedback_results.home", Permission.OFFICE),
        ("Statistik", "statistics.overview", Permission.STATISTICS),
    ),
    (("Meine Organisation", "registrations.organisation_page", Permission.ORGANISATION),),
)
# Pages that lie beside the link to which they belong, not below it.
PARTS = (
    ("office.template_list", "office.event_list"),
    ("office.venue_list", "office.event_list"),
    ("office.release_list", "office.event_list"),
    ("office.demand", "office.event_list"),
    ("office.mail_list", "office.event_list"),
    ("office.attendance", "office.event_list"),
    ("attendance.my_events", "office.event_list"),
    ("certificate_holders.mine", "registrations.my_registrations"),
    ("stocktakes.overview", "card_handouts.event_overview"),
)
FOOTER = (
    ("Hilfe", "web.help_page"),
    ("Taschenkarten bestellen", "card_orders.order"),
    ("Bescheinigung prüfen", "certificate_holders.enter"),
    ("Barrierefreiheit", "web.accessibility"),
    ("Datenschutz", "web.privacy"),
    ("Impressum", "web.imprint"),
)
# The most telling role names a person in the head of the page.
_ROLE_TITLES = (
    (Role.ADMIN, "Verwaltung"),
    (Role.COORDINATOR, "Geschäftsstelle"),
    (Role.TRAINER, "Training"),
)


def build_shell(settings: Settings, user: LoggedIn | None) -> Shell:
    """Build the frame for a person, or for a visitor."""
    actor = user.actor if user else Actor()
    return Shell(
        product=settings.product,
        office=settings.office,
        navigation=_navigation(actor),
        person=_person(user) if user else None,
        login_url=url_for("people.log_in"),
        address=settings.office_address,
        footer=[(label, url_for(endpoint)) for label, endpoint in FOOTER],
    )


def _navigation(actor: Actor) -> list[list[Item]]:
    wanted = OFFICE_NAVIGATION if actor.may(Permission.OFFICE) else NAVIGATION
    groups = [
        [
            (label, url_for(endpoint))
            for label, endpoint, permission in group
            if actor.may(permission)
        ]
        for group in wanted
    ]
    current = _current([url for group in groups for _, url in group])
    return [[Item(label, url, url == current) for label, url in group] for group in groups if group]


def _current(urls: list[str]) -> str | None:
    """Return the link to which the page belongs: the longest whose address its own begins with."""
    path = f"{request.path.rstrip('/')}/"
    if path == "/":
        return url_for("registrations.event_list")
    for part, whole in PARTS:
        if path.startswith(url_for(part)) and url_for(whole) in urls:
            return url_for(whole)
    below = [url for url in urls if path.startswith(f"{url.rstrip('/')}/")]
    return max(below, key=len, default=None)


def _person(user: LoggedIn) -> ShellPerson:
    roles = user.actor.roles
    office_role = next((title for role, title in _ROLE_TITLES if role in roles), None)
    organisation = ", ".join(filter(None, (user.organisation, user.unit)))
    return ShellPerson(
        name=user.name,
        subtitle=office_role or organisation,
        url=url_for("people.my_account"),
    )


def install(app: Flask) -> None:
    """Offer `shell` and the German formats to the templates."""
    settings: Settings = app.extensions["settings"]

    @app.context_processor
    def shell() -> dict[str, object]:
        return {"shell": build_shell(settings, logged_in())}

    app.jinja_env.filters.update(
        weekday_short=formats.weekday,
        month_name=formats.month_name,
        short_date=formats.short_date,
        long_date=formats.long_date,
        clock_time=formats.clock_time,
        instant=formats.instant,
        deadline=formats.deadline,
        number=formats.number,
        number_word=formats.number_word,
        join_words=formats.join_words,
    )
    app.jinja_env.globals.update(
        time_span=formats.time_span,
        day_and_span=formats.day_and_span,
        day_span=formats.day_span,
        weekday_span=formats.weekday_span,
        percent=formats.percent,
        kinds=KIND_NAMES,
        count_words=formats.count,
    )
