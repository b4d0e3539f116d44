"""The attack on the answers: who has one snapshot of the whole database after a batch, knows who
answered when and who holds which code, must not find out who wrote what any better than by guessing
among those of the batch.
"""

from __future__ import annotations

import itertools
import math
import random
import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, Date, DateTime, Integer, Time, inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.feedback.factories import make_attended, make_open_survey, make_sheet, make_version
from trainings.cli.backup import _copy_sqlite, _leave_wal
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.delivery import deliver_due_mails
from trainings.core.outbox import Mail, OutgoingMail, post
from trainings.core.settings import Settings
from trainings.core.tokens import digest
from trainings.feedback.answering import pending
from trainings.feedback.answering.operations import submit
from trainings.feedback.answers import Sheet
from trainings.feedback.models import (
    KEY_BYTES,
    FeedbackCount,
    FeedbackInvitation,
    FeedbackRight,
    FeedbackText,
    PendingAnswer,
    PendingRight,
    Survey,
    UsedRight,
)
from trainings.feedback.surveys import settling
from trainings.feedback.surveys.rights import answer_path, new_code
from trainings.feedback.surveys.settling import (
    REWRITTEN,
    close_surveys,
    forget_dead_rows,
    settle,
    settle_answers,
)
from trainings.feedback.surveys.steps import lock_survey
from trainings.models import metadata
from trainings.registrations.models import Registration

pytestmark = pytest.mark.both_databases
ROUNDS = 200
FEW_ROUNDS = 40
"""Enough where everybody is given away."""
BATCHES, IN_BATCH = 2, 5
FALSE_ALARM = 1e-6
LAST_DAY = berlin_day(NOW) - timedelta(days=2)


@pytest.fixture
def surveys(app: Flask) -> list[tuple[int, list[str]]]:
    """Return three open surveys with their codes."""
    return make_surveys(3)


def make_surveys(number: int) -> list[tuple[int, list[str]]]:
    """Open surveys; return the id and the codes of each."""
    with transaction() as session:
        version = make_version(session)
        events = [make_attended(session, 1, first_day=LAST_DAY) for _ in range(number)]
        opened = [make_open_survey(session, each, version, NOW, rights=10) for each in events]
        return [(survey.id, codes) for survey, codes in opened]


def give(code: str, words: str) -> None:
    """Answer in a transaction of its own, as people do."""
    with transaction() as session:
        submit(session, code, make_sheet(words=words), NOW)


# What the files still hold.


def stored_bytes(database_url: str, tables: Sequence[str]) -> bytes:
    """Return the bytes of the whole SQLite file and its log, or of the files of tables."""
    if database_url.startswith("sqlite"):
        file = Path(database_url.removeprefix("sqlite:///"))
        return b"".join(part.read_bytes() for part in sorted(file.parent.glob(f"{file.name}*")))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        read = "SELECT pg_read_binary_file(pg_relation_filepath(:name))"
        return b"".join(
            bytes(connection.scalar(text(read), {"name": each}) or b"") for each in tables
        )


def answer_in_three_surveys(surveys: list[tuple[int, list[str]]]) -> tuple[list[str], list[str]]:
    """Let 16 people answer in turns, so that their rows lie among each other, and count a batch.

    Returns:
        The words of those who were counted, and of those who still wait.

    """
    turns = itertools.chain.from_iterable(zip(*(codes for _, codes in surveys), strict=True))
    silent = {code for _, codes in surveys for code in codes[6:]} | set(surveys[2][1][4:])
    words = {code: f"wort{secrets.token_hex(8)}" for code in turns if code not in silent}
    for code, word in words.items():
        give(code, word)
    assert settle_answers(NOW) == 12
    still = set(surveys[2][1])
    return (
        [word for code, word in words.items() if code not in still],
        [word for code, word in words.items() if code in still],
    )


def left_of_sheets(stored: bytes, words: Sequence[str]) -> list[str]:
    """Return the words that are still found in the form in which answers wait."""
    return [word for word in words if f'{{"words": "{word}'.encode() in stored]


def test_no_byte_of_a_counted_sheet_is_left(
    surveys: list[tuple[int, list[str]]], database_url: str
) -> None:
    counted, waiting = answer_in_three_surveys(surveys)
    names = [table.__tablename__ for table in REWRITTEN]
    stored = stored_bytes(database_url, names)
    assert left_of_sheets(stored, counted) == []
    assert left_of_sheets(stored, waiting) == waiting  # so this way of looking does find something
    assert all(word.encode() in stored for word in counted)


def test_no_byte_of_a_used_right_is_left_where_it_waited(
    surveys: list[tuple[int, list[str]]], database_url: str
) -> None:
    answer_in_three_surveys(surveys)
    used = [digest(code) for code in (*surveys[0][1][:6], *surveys[1][1][:6])]
    if database_url.startswith("sqlite"):
        stored = stored_bytes(database_url, ())
        # Once in the table, once in its index: nowhere is an older place of it.
        assert {stored.count(each) for each in used} == {2}
    else:
        before = stored_bytes(database_url, ["feedback_rights", "feedback_pending_rights"])
        assert not any(each in before for each in used)
        after = stored_bytes(database_url, ["feedback_used_rights"])
        assert {after.count(each) for each in used} == {1}


def test_no_byte_of_a_code_is_left_at_an_invitation_when_the_survey_is_over(
    surveys: list[tuple[int, list[str]]], database_url: str
) -> None:
    survey_id, codes = surveys[0]
    with transaction() as session:
        person = session.scalars(select(Registration.id).limit(1)).one()
        session.add(FeedbackInvitation(survey_id=survey_id, registration_id=person, token=codes[0]))
    tables = [FeedbackInvitation.__tablename__]
    assert codes[0].encode() in stored_bytes(database_url, tables)
    assert close_surveys(NOW + timedelta(days=22)) == 3
    assert codes[0].encode() not in stored_bytes(database_url, tables)


def test_a_backup_holds_no_more_than_the_database(
    surveys: list[tuple[int, list[str]]], database_url: str, tmp_path: Path
) -> None:
    counted, waiting = answer_in_three_surveys(surveys)
    if not database_url.startswith("sqlite"):
        return  # pg_dump writes the living rows and nothing else
    file = tmp_path / "backup"
    _copy_sqlite(Path(database_url.removeprefix("sqlite:///")), file)
    _leave_wal(file)
    stored = file.read_bytes()
    assert left_of_sheets(stored, counted) == []
    assert left_of_sheets(stored, waiting) == waiting


def test_without_cleaning_up_the_bytes_are_found(
    surveys: list[tuple[int, list[str]]], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail."""
    monkeypatch.setattr(settling, "forget_dead_rows", lambda: None)
    counted, _ = answer_in_three_surveys(surveys)
    names = [table.__tablename__ for table in REWRITTEN]
    assert left_of_sheets(stored_bytes(database_url, names), counted) != []


def test_no_old_version_of_a_row_is_left(
    surveys: list[tuple[int, list[str]]], database_url: str
) -> None:
    answer_in_three_surveys(surveys)
    if database_url.startswith("sqlite"):
        with closing(db.engine.raw_connection()) as connection:
            assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
        log = Path(f"{database_url.removeprefix('sqlite:///')}-wal")
        assert not log.exists() or log.stat().st_size == 0
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pgstattuple")
        for table in REWRITTEN:
            dead = "SELECT dead_tuple_count FROM pgstattuple(:name)"
            assert connection.scalar(text(dead), {"name": table.__tablename__}) == 0


# Who wrote what.

Order = dict[str, list[str]]


@dataclass(frozen=True)
class Round:
    """What one survey left behind, and the truth.

    Attributes:
        people: orders of the codes, by their names.
        texts: orders of the texts, by their names.
        truth: the code that wrote each text.

    """

    people: Order
    texts: Order
    truth: dict[str, str]


def read_orders(connection: Connection, survey_id: int) -> tuple[Order, Order]:
    """Return all orders in which a snapshot has the used rights and the texts of a survey."""
    physical = ("ctid", "xmin::text::bigint, cmin::text::bigint", "key")
    ways = physical if connection.dialect.name == "postgresql" else ("1", "key")

    def read(table: str, column: str, way: str) -> list[str]:
        way = way.replace("key", column) if column == "token_hash" else way
        order = f" ORDER BY {way}" if way != "1" else ""  # as it lies there
        rows = connection.execute(
            text(f"SELECT {column} FROM {table} WHERE survey_id = :id{order}"), {"id": survey_id}
        )
        return [bytes(each).hex() if isinstance(each, bytes) else each for (each,) in rows]

    people = {f"rights by {way}": read("feedback_used_rights", "token_hash", way) for way in ways}
    texts = {f"texts by {way}": read("feedback_texts", "text", way) for way in ways}
    return people, texts | {"texts by text": read("feedback_texts", "text", "text")}


def play(rng: random.Random, survey_id: int, codes: list[str]) -> dict[str, str]:
    """Let ten people answer in two batches, in the order of `codes`; return who wrote what."""
    truth = {}
    for batch in range(BATCHES):
        for code in codes[batch * IN_BATCH : (batch + 1) * IN_BATCH]:
            words = f"{rng.getrandbits(64):016x}"
            truth[words] = digest(code).hex()
            give(code, words)
        with transaction() as session:
            assert settle(session, lock_survey(session, survey_id)) == IN_BATCH
    return truth


def play_rounds(number: int = ROUNDS) -> list[Round]:
    """Play rounds and take one snapshot at the end."""
    rng = random.Random(20260302)
    played = []
    for survey_id, given in make_surveys(number):
        arrived = rng.sample(given, BATCHES * IN_BATCH)
        played.append((survey_id, given, arrived, play(rng, survey_id, arrived)))
    forget_dead_rows()
    rounds = []
    with db.engine.connect() as connection:
        for survey_id, given, arrived, truth in played:
            people, texts = read_orders(connection, survey_id)
            people["arrival"] = [digest(code).hex() for code in arrived]
            people["as given"] = [digest(code).hex() for code in given if code in arrived]
            rounds.append(Round(people, texts, truth))
    return rounds


def hits(rounds: Sequence[Round]) -> dict[tuple[str, str], int]:
    """Return how many texts each strategy gives to the right person, over all rounds.

    A strategy lays an order of people beside an order of texts, also the other way round.
    """
    found = dict.fromkeys(
        ((who, f"{what}{turned}") for who in rounds[0].people for what in rounds[0].texts
         for turned in ("", ", turned")),
        0,
    )  # fmt: skip
    for each in rounds:
        for (who, people), (what, texts) in itertools.product(
            each.people.items(), each.texts.items()
        ):
            for turned, order in (("", texts), (", turned", texts[::-1])):
                pairs = zip(people, order, strict=True)
                found[who, f"{what}{turned}"] += sum(each.truth[t] == p for p, t in pairs)
    return found


def most_by_chance(rounds: int, strategies: int) -> int:
    """Return how many hits no strategy reaches by chance but with `FALSE_ALARM`.

    The hits of a random order are its fixed points X. Their factorial moments are 1, so that
    E[(1 + t)^X] <= e^t as with a Poisson variable, and Chernoff's bound for that holds:
    P(sum >= a) <= exp(a - r - a ln(a / r)).
    """
    a = rounds
    while strategies * math.exp(a - rounds - a * math.log(a / rounds)) > FALSE_ALARM:
        a += 1
    return a


def test_no_order_in_a_snapshot_tells_who_wrote_what(app: Flask) -> None:
    found = hits(play_rounds())
    assert len(found) >= 20
    bound = most_by_chance(ROUNDS, len(found))
    assert bound < 2 * ROUNDS  # a leak of the batch alone gives two hits a round instead of one
    assert {way: number for way, number in found.items() if number >= bound} == {}


def test_the_attack_finds_rows_in_the_order_of_arrival(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the attack can succeed: rows that are written as they come give everybody away."""
    rising = itertools.count()

    class Rising:
        @staticmethod
        def token_bytes(length: int) -> bytes:
            return next(rising).to_bytes(length)

    monkeypatch.setattr(pending, "MIXED_AT_MOST", 0)
    monkeypatch.setattr(pending, "secrets", Rising)
    monkeypatch.setattr(settling, "secrets", Rising)
    monkeypatch.setattr(settling, "in_random_order", list)
    found = hits(play_rounds(FEW_ROUNDS))
    bound = most_by_chance(FEW_ROUNDS, len(found))
    caught = [what for (who, what), number in found.items() if who == "arrival" and number >= bound]
    assert "texts by key" in caught


def test_the_attack_finds_batches_that_lie_one_after_the_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that a batch alone, in random order behind the earlier one, is found as well."""
    rising = itertools.count()

    def append(session: Session, survey_id: int, sheets: Sequence[Sheet]) -> None:
        batch = next(rising).to_bytes(4)
        for sheet in random.sample(sheets, len(sheets)):
            key = batch + secrets.token_bytes(KEY_BYTES - len(batch))
            words = sheet.texts["words"]
            session.add(FeedbackText(key=key, survey_id=survey_id, question="words", text=words))
            session.flush()

    monkeypatch.setattr(settling, "_rewrite_texts", append)
    found = hits(play_rounds())
    assert found["arrival", "texts by key"] >= most_by_chance(ROUNDS, len(found))


@pytest.mark.postgresql_only
def test_no_row_tells_in_which_batch_it_came(surveys: list[tuple[int, list[str]]]) -> None:
    """Also a sum that the second batch left as it was: all rows are of the last transaction."""
    survey_id, codes = surveys[0]
    for batch, useful in ((codes[:5], "1"), (codes[5:], "5")):
        with transaction() as session:
            for code in batch:
                submit(session, code, make_sheet(useful, words=secrets.token_hex(4)), NOW)
        assert settle_answers(NOW) == 5
    with db.engine.connect() as connection:
        for table in (FeedbackCount, FeedbackText, UsedRight):
            made_by = f"SELECT DISTINCT xmin::text FROM {table.__tablename__} WHERE survey_id = :id"
            assert len(connection.execute(text(made_by), {"id": survey_id}).all()) == 1


# What the tables can hold.

WAITING = (PendingAnswer.__tablename__, PendingRight.__tablename__)
ANSWERED = (
    *WAITING,
    FeedbackCount.__tablename__,
    FeedbackText.__tablename__,
    UsedRight.__tablename__,
)
KNOWN_BY = {"surveys", "events", "questionnaire_versions"}
"""What the tables of the answers, and the surveys to which they belong, may lead to."""


def test_no_column_says_when_or_who(app: Flask) -> None:
    tables = inspect(db.engine)
    for name in (*ANSWERED, FeedbackRight.__tablename__, Survey.__tablename__):
        for column in tables.get_columns(name):
            fine = isinstance(column["type"], DateTime | Time)
            assert not fine, f"{name}.{column['name']} says the time"
        leads_to = {key["referred_table"] for key in tables.get_foreign_keys(name)}
        assert leads_to <= KNOWN_BY, f"{name} leads to {leads_to - KNOWN_BY}"


def test_the_tables_of_the_answers_number_no_rows_and_name_no_day(app: Flask) -> None:
    tables = inspect(db.engine)
    for name in ANSWERED:
        columns = {column["name"]: column for column in tables.get_columns(name)}
        assert not any(isinstance(column["type"], Date) for column in columns.values())
        # Numbers are those of the survey, and how many people chose a value; none counts up.
        numbers = {key for key, column in columns.items() if isinstance(column["type"], Integer)}
        assert numbers <= {"survey_id", "people"}
        assert not any(column.get("default") for column in columns.values())
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection, pytest.raises(OperationalError):
                connection.execute(text(f"SELECT rowid FROM {name}"))


def test_no_other_table_leads_to_an_answer_or_from_a_right_to_a_person(app: Flask) -> None:
    tables = inspect(db.engine)
    leads_to = {
        name: {key["referred_table"] for key in tables.get_foreign_keys(name)}
        for name in tables.get_table_names()
    }
    assert [name for name, to in leads_to.items() if to & set(ANSWERED)] == []
    people = {"persons", "registrations", "accounts"}
    both = {name for name, to in leads_to.items() if "surveys" in to and to & people}
    assert both == {"feedback_invitations"}


def test_what_is_stored_of_somebody_who_answered_names_no_code(
    surveys: list[tuple[int, list[str]]],
) -> None:
    """Walk through all tables: only whoever holds the code can find its right."""
    answer_in_three_surveys(surveys)
    codes = [code for _, given in surveys for code in given]
    with db.engine.connect() as connection:
        for table in metadata.sorted_tables:
            stored = str(connection.execute(table.select()).all())
            assert not any(code in stored for code in codes), table.name


def test_a_mail_that_has_left_holds_no_code(app: Flask, settings: Settings) -> None:
    code = new_code()
    mail = Mail(
        "Rückmeldung", ("Wie war es?",), link=("Antworten", answer_path(code)), fleeting=True
    )
    with transaction() as session:
        post(session, kind="feedback", to="a@stadt-essen.example", name="A", mail=mail, now=NOW)
    stored = select(OutgoingMail.content)
    assert code in str(db.session.scalars(stored).one())
    assert deliver_due_mails(settings, NOW) == 1
    db.session.rollback()
    assert code not in str(db.session.scalars(stored).one())
