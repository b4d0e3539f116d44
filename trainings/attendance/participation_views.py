"""Past participations of an organisation's own people, for its contacts."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session

from trainings.attendance.participation_queries import (
    TABLE_HEADER,
    participation_years,
    participations,
    table_rows,
)
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db
from trainings.core.permissions import Permission, requires
from trainings.core.tables import CSV_TYPE, csv_lines
from trainings.people.sessions import current_actor
from trainings.registrations.release_queries import load_tree, spoken_for
from trainings.registrations.release_rules import Overseen

blueprint = Blueprint("participations", __name__)


@blueprint.get("/organisation/teilnahmen")
@requires(Permission.ORGANISATION)
def overview() -> str:
    """Show who took part in one year; the latest unless another is asked for."""
    session, today = db.session(), berlin_day(utc_now())
    overseen, organisations = _overseen(session)
    years = participation_years(session, overseen, today)
    wanted = _wanted_year()
    year = wanted if wanted in years else next(iter(years), today.year)
    return render_template(
        "attendance/participations.html",
        organisations=organisations,
        years=years,
        year=year,
        rows=participations(session, overseen, today, year),
    )


@blueprint.get("/organisation/teilnahmen.csv")
@requires(Permission.ORGANISATION)
def table() -> Response:
    """Offer the participations of one year, or of all, as a table."""
    session, today, year = db.session(), berlin_day(utc_now()), _wanted_year()
    overseen, _ = _overseen(session)
    rows = participations(session, overseen, today, year)
    response = Response(csv_lines(TABLE_HEADER, table_rows(rows)), content_type=CSV_TYPE)
    name = f"teilnahmen-{year}.csv" if year else "teilnahmen.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    # Names of employees of security authorities: no shared computer should keep them.
    response.headers["Cache-Control"] = "no-store"
    return response


def _overseen(session: Session) -> tuple[Overseen, list[str]]:
    own = spoken_for(session, current_actor().person_id)
    return load_tree(session).overseen(own), list(own.values())


def _wanted_year() -> int | None:
    text = request.args.get("jahr", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None
