"""What the pages of the attendance say: refusals, names of sessions, what was done last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.models import MARK_NAMES, AttendanceMark, RecordingKind
from trainings.attendance.queries import EventLine
from trainings.attendance.rules import TRAINERS_CORRECT_FOR, Answer, Change, Entry, SessionTime
from trainings.attendance.sheet_rules import Only
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.errors import DomainError
from trainings.core.formats import (
    NO_BREAK_SPACE,
    clock_time,
    count,
    instant,
    long_date,
    short_date,
    time_span,
    weekday,
)

# Words and sentence of each refusal; {day} is the day of the session that was chosen.
REFUSALS: dict[Answer, tuple[str, str]] = {
    Answer.UNKNOWN: (
        "Unbekannter Code",
        "Zu diesem Code gibt es keine gültige Eintrittskarte. Bitte prüfen Sie die Schreibweise, "
        "oder suchen Sie den Namen in der Liste.",
    ),
    Answer.OTHER_EVENT: (
        "Andere Veranstaltung",
        "Diese Eintrittskarte gehört zu einer anderen Veranstaltung, für die Sie nicht eingeteilt "
        "sind.",
    ),
    Answer.EVENT_DRAFT: (
        "Noch ein Entwurf",
        "Die Veranstaltung ist noch nicht veröffentlicht. Anwesenheit lässt sich danach erfassen.",
    ),
    Answer.EVENT_CANCELLED: (
        "Abgesagt",
        "Die Veranstaltung ist abgesagt. Anwesenheit lässt sich nicht erfassen.",
    ),
    Answer.WITHDRAWN: (
        "Platz zurückgegeben",
        "Der Platz wurde zurückgegeben. Bitte fragen Sie die Geschäftsstelle, wenn die Person "
        "trotzdem teilnehmen soll.",
    ),
    Answer.WAITING: (
        "Warteliste",
        "Die Person steht auf der Warteliste und hat noch keinen Platz. Bitte fragen Sie die "
        "Geschäftsstelle.",
    ),
    Answer.SUBSTITUTED: (
        "Ersatzperson benannt",
        "Für diese Anmeldung ist eine Ersatzperson benannt. Bitte suchen Sie deren Namen in der "
        "Liste.",
    ),
    Answer.NO_PLACE: (
        "Kein Platz",
        "Die Anmeldung hat keinen Platz. Bitte fragen Sie die Geschäftsstelle.",
    ),
    Answer.OTHER_DAY: (
        "Anderer Tag",
        "Heute findet kein Termin dieser Veranstaltung statt. Frühere Termine tragen Sie in der "
        "Liste nach.",
    ),
    Answer.TOO_EARLY: (
        "Noch nicht",
        "Dieser Termin ist am {day}. Vorher lässt sich keine Anwesenheit erfassen.",
    ),
    Answer.TOO_LATE: (
        "Erfassung beendet",
        f"Die Veranstaltung liegt mehr als {TRAINERS_CORRECT_FOR.days} Tage zurück. "
        "Korrekturen nimmt jetzt die Geschäftsstelle vor.",
    ),
    Answer.CLOSED: (
        "Abgeschlossen",
        "Die Anwesenheit ist abgeschlossen. Korrekturen nimmt die Geschäftsstelle vor, nachdem sie "
        "die Anwesenheit wieder geöffnet hat.",
    ),
    Answer.SESSION_MOVED: (
        "Termin verlegt",
        "Der Termin ist inzwischen verlegt oder entfallen. Die Geschäftsstelle entscheidet, wofür "
        "die Erfassung zählt.",
    ),
    Answer.NOT_ALLOWED: (
        "Nicht mehr eingeteilt",
        "Sie sind für diese Veranstaltung nicht mehr eingeteilt. Die Erfassung ist aufgehoben, die "
        "Geschäftsstelle entscheidet darüber.",
    ),
}
_STATUS = {Answer.UNKNOWN: 404, Answer.OTHER_EVENT: 403}


def refusal_words(answer: Answer, session_day: date | None = None) -> tuple[str, str]:
    """Return a word and a sentence for a refusal; both empty where nothing is refused.

    Args:
        answer: of the rules.
        session_day: day of the session that was chosen; None: no session at all.

    """
    word, sentence = REFUSALS.get(answer, ("", ""))
    return word, sentence.format(day=long_date(session_day)) if session_day else sentence


def status_of(answer: Answer) -> int:
    """Return the HTTP status of a refusal."""
    return _STATUS.get(answer, 409)


def refusal(answer: Answer, session_day: date | None = None) -> DomainError:
    """Return the error by which an operation refuses."""
    _, sentence = refusal_words(answer, session_day)
    return DomainError(answer.value, sentence, status=status_of(answer))


_SHORT_LABELS = {"Vormittag": "vorm.", "Nachmittag": "nachm."}
_SPOKEN_LABELS = {"Vormittag": "vormittags", "Nachmittag": "nachmittags"}
_LOOKS = {
    AttendanceMark.PRESENT: ("check", "ok"),
    AttendanceMark.ABSENT: ("cross", "bad"),
    AttendanceMark.EXCUSED: ("info", "info"),
    None: ("dashed-ring", "off"),
}
ONLY_WORDS: dict[Only | None, str] = {
    None: "Alle",
    Only.OPEN: "nicht erfasst",
    Only.UNUSUAL: "abweichend",
}
KIND_WORDS = {
    RecordingKind.SET: "eingetragen",
    RecordingKind.SEEN: "Eintrittskarte gelesen",
    RecordingKind.FILL: "alle übrigen anwesend",
    RecordingKind.UNDO: "zurückgenommen",
    RecordingKind.WALK_IN: "ohne Anmeldung gekommen",
}
_LATER = timedelta(minutes=1)
_DONE_TO_ONE = {
    AttendanceMark.PRESENT: "ist da",
    AttendanceMark.ABSENT: "fehlt",
    AttendanceMark.EXCUSED: "ist entschuldigt",
    None: "ist nicht mehr erfasst",
}


def session_names(sessions: Sequence[SessionTime]) -> list[tuple[str, str]]:
    """Return two lines for each session: „2. Tag“ and „Vormittag“; within one day label and time.

    Args:
        sessions: of one event, in order of time.

    """
    days = list(dict.fromkeys(session.day for session in sessions))
    if len(days) < 2:
        return [(session.label, time_span(session.begins, session.ends)) for session in sessions]
    return [(f"{days.index(session.day) + 1}. Tag", session.label) for session in sessions]


def column_names(
    sessions: Sequence[SessionTime], labels: Mapping[str, str] = _SHORT_LABELS
) -> list[str]:
    """Return a short name for each column of the matrix: „Do. vorm.“, in long events by date."""
    days = {session.day for session in sessions}
    by_weekday = len({day.weekday() for day in days}) == len(days)
    return [
        f"{weekday(session.day) if by_weekday else short_date(session.day)[:6]} "
        f"{labels.get(session.label, session.label)}"
        for session in sessions
    ]


def spoken_names(sessions: Sequence[SessionTime]) -> list[str]:
    """Return a name for each column as it is read aloud: „Do. vormittags“."""
    return column_names(sessions, _SPOKEN_LABELS)


def entry_words(entry: Entry) -> str:
    """Return „da, 10 Min. später, bis 20 Min. vor Schluss“."""
    if entry.mark is None:
        return "nicht erfasst"
    words = [MARK_NAMES[entry.mark]]
    if entry.late:
        words.append(f"{entry.late}{NO_BREAK_SPACE}Min. später")
    if entry.early:
        words.append(f"bis {entry.early}{NO_BREAK_SPACE}Min. vor Schluss")
    return ", ".join(words)


def entry_look(entry: Entry) -> tuple[str, str, str]:
    """Return icon, words and tone of what is recorded; minutes have an icon of their own."""
    icon, tone = _LOOKS[entry.mark]
    return "clock" if entry.late or entry.early else icon, entry_words(entry), tone


def recorded_at(at: datetime, received_at: datetime) -> str:
    """Return when something was recorded, and when it arrived if that was later.

    Once the attendance was closed only the day is left of both.
    """
    if received_at - at < _LATER:
        return moment(at)
    if is_day_only(at) or berlin_day(at) != berlin_day(received_at):
        return f"auf dem Telefon: {moment(at)}, eingegangen: {moment(received_at)}"
    seen, came = (clock_time(to_berlin(found).time()) for found in (at, received_at))
    day = long_date(berlin_day(at))
    return f"{day}, auf dem Telefon um {seen}, eingegangen um {came}{NO_BREAK_SPACE}Uhr"


def moment(at: datetime) -> str:
    """Return an instant, or the day alone where closing left no more of it."""
    return long_date(berlin_day(at)) if is_day_only(at) else instant(at)


def overview_words(sessions: Sequence[SessionTime]) -> tuple[str, str]:
    """Return heading and link of the matrix: „Beide Tage“, „Übersicht beider Tage“."""
    days = len({session.day for session in sessions})
    if days < 2:
        return "Der ganze Tag", "Übersicht des ganzen Tages"
    if days == 2:
        return "Beide Tage", "Übersicht beider Tage"
    return "Alle Tage", "Übersicht aller Tage"


def mark_sentence(name: str, entry: Entry) -> str:
    """Return „Wietfeld, Ann-Kathrin ist da, 10 Min. später“."""
    minutes = entry_words(entry).partition(", ")[2]
    return ", ".join(filter(None, (f"{name} {_DONE_TO_ONE[entry.mark]}", minutes)))


def step_sentence(step: Sequence[Change], names: Mapping[int, str], now: datetime) -> str:
    """Return what the last step did: „08:57 Uhr: Wietfeld, Ann-Kathrin ist da“.

    Args:
        step: changes of one step, at least one; several are always "all present".
        names: of the people, by registration.
        now: the present instant; of a step of another day the date is said, too.

    """
    change = step[0]
    if berlin_day(change.at) == berlin_day(now) and not is_day_only(change.at):
        at = f"{clock_time(to_berlin(change.at).time())}{NO_BREAK_SPACE}Uhr"
    else:
        at = moment(change.at)
    if len(step) > 1:
        return f"{at}: {count(len(step), 'Person', 'Personen')} als anwesend erfasst"
    return f"{at}: {mark_sentence(names[change.registration_id], change.new)}"


def line_status(line: EventLine, today: date) -> tuple[str, str, str, str]:
    """Return icon, word, tone and detail of an event in the list."""
    event, people = line.event, count(line.people, "Person", "Personen")
    if line.cancelled:
        return "cross-ring", "Abgesagt", "bad", ""
    if event.access.closed:
        return "lock", "Abgeschlossen", "ok", people
    if event.first_day <= today <= event.last_day:
        return "clock", "Heute", "mine", people
    if not line.people:
        return "dashed-ring", "Niemand angemeldet", "off", ""
    if today < event.first_day:
        return "calendar", "Kommt noch", "off", people
    if line.unrecorded:
        missing = count(line.unrecorded, "Eintrag fehlt", "Einträge fehlen")
        return "exclamation-ring", "Noch offen", "warn", missing
    return "check-ring", "Vollständig erfasst", "ok", "noch nicht abgeschlossen"
