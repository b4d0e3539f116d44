"""Making names in a free text unreadable, and where a reader should look twice: pure rules."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from trainings.core.errors import DomainError
from trainings.feedback.models import TextState

MARK = "[…]"
"""Stands where something was; always the same, so that it does not tell how long that was."""
FEWEST_SIGNS = 2
"""Letters and digits that a passage must have: a single one occurs in nearly every word."""
SHORTEST_NAME = 3
"""Letters of a part of a name that is looked for; „von“ and its like are left out anyway."""

_SOFT_HYPHEN = "\u00ad"
_ALIKE = str.maketrans("\u2010\u2011\u2012\u2013\u2212\u2019\u02bc", "-----''")
_PARTICLES = frozenset({"von", "van", "der", "den", "des", "vom", "zum", "zur", "und", "del"})
_BETWEEN_MARKS = re.compile(rf"{re.escape(MARK)}(?:[\s\-\u2010-\u2013]*{re.escape(MARK)})+")
_ADDRESSED = re.compile(
    r"\b(?:Herrn?|Frau|Kolleg(?:e|en|in)|Trainer(?:in)?|Dr\.?|Prof\.?)\s+((?:Dr\.?|Prof\.?)\s+)*"
    r"(?P<name>[^\W\d_][\w'’-]*)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?\d(?:[\d/().\- ]*\d)?")
_FILE = re.compile(r"\b(?:\d{1,4}\s)?[A-Za-z]{1,4}\s\d{1,6}/\d{2,4}\b")
"""„501 Js 345/21“, as the justice numbers its files."""
_NUMBERED = re.compile(
    r"(?:nr|nummer|az|aktenzeichen|kennung|ausweis|telefon|tel|durchwahl)\b[.:\s]*$", re.IGNORECASE
)
_LONGEST_NUMBER_WORD = 20
_LONGEST_NAMED = 60
"""Signs of a passage that a refusal repeats."""
_CLOCK = re.compile(r"\d{1,2}[.:]\d{2}(?:\s*-\s*\d{1,2}[.:]\d{2})?")
_YEARS = range(1900, 2100)
_MANY_DIGITS = 4
_AROUND = "@.,;:!?()[]<>\"'„“”‚‘’…"
_WORD = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True)
class Piece:
    """A part of a text.

    Attributes:
        text: as it was written.
        hint: what it may be („möglicher Name“); empty if nothing is known of it.

    """

    text: str
    hint: str = ""


def fingerprint(state: TextState, text: str) -> str:
    """Return what tells whether a text is still the one that somebody looked at."""
    # A browser gets and sends it; nothing stores it.
    return hashlib.sha256(f"{state} {text}".encode()).hexdigest()[:32]


def folded(text: str) -> str:
    """Return a text as passages are compared: without case, ß as ss, any white space as a blank."""
    return "".join(_fold(cluster) for cluster in _clusters(text))


def redact(text: str, passages: Sequence[str]) -> str:
    """Return a text in which nothing remains of some passages; a mark stands for each of them.

    A passage counts wherever it stands, also within a longer word („Müllers“): too much is seen in
    the preview, too little is not. Marks beside each other become one.

    Args:
        text: what somebody wrote.
        passages: what shall go, compared without case; empty ones count for nothing.

    Raises:
        DomainError: `no_passage`, `passage_too_short`, `passage_not_found` or `nothing_left`.

    """
    typed = {folded(each).strip(): each.strip() for each in passages if folded(each).strip()}
    wanted = list(typed)
    if not wanted:
        raise _refused(
            "no_passage", "Bitte schreiben Sie, was unkenntlich werden soll: je Zeile eine Stelle."
        )
    whole = folded(text)
    for passage in wanted:
        if _signs(passage) < FEWEST_SIGNS:
            raise _refused(
                "passage_too_short",
                f"„{_named(typed[passage])}“ ist zu kurz und käme fast überall vor. Bitte geben "
                "Sie das ganze Wort ein.",
            )
        if passage not in whole:
            raise _refused(
                "passage_not_found",
                f"„{_named(typed[passage])}“ steht so nicht im Text. Bitte übernehmen Sie die "
                "Stelle genau, jede in einer eigenen Zeile.",
            )
    # Where something went, its surroundings meet at a mark and may hold a passage with a mark.
    while any(passage in folded(text) for passage in wanted):
        text = _covered(text, wanted)
    if not _signs(text):
        raise _refused(
            "nothing_left", "Dann bliebe nichts zu lesen. Bitte entfernen Sie den Text ganz."
        )
    return text


def _named(passage: str) -> str:
    return passage if len(passage) <= _LONGEST_NAMED else f"{passage[:_LONGEST_NAMED]} …"


def _refused(code: str, sentence: str) -> DomainError:
    return DomainError(code, sentence, field="passages", status=422)


def _covered(text: str, wanted: Sequence[str]) -> str:
    clusters = list(_clusters(text))
    parts = [_fold(cluster) for cluster in clusters]
    whole = "".join(parts)
    hidden = bytearray(len(whole))
    for passage in wanted:
        at = whole.find(passage)
        while at >= 0:
            hidden[at : at + len(passage)] = b"\1" * len(passage)
            at = whole.find(passage, at + 1)
    ends = list(accumulate(len(part) for part in parts))
    kept = [
        MARK if any(hidden[end - len(part) : end]) else cluster
        for cluster, part, end in zip(clusters, parts, ends, strict=True)
    ]
    return _BETWEEN_MARKS.sub(MARK, "".join(kept))


def _clusters(text: str) -> Iterator[str]:
    """Yield the signs of a text, each with the accents and soft hyphens that follow it."""
    cluster = ""
    for sign in text:
        joins = sign == _SOFT_HYPHEN or unicodedata.category(sign).startswith("M")
        blank = sign.isspace() and cluster.replace(_SOFT_HYPHEN, "").isspace()
        if cluster and not (joins or blank):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


def _fold(cluster: str) -> str:
    plain = cluster.replace(_SOFT_HYPHEN, "").translate(_ALIKE)
    if plain.isspace():
        return " "
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", plain).casefold())


def _signs(text: str) -> int:
    return sum(sign.isalnum() for sign in text)


def name_parts(names: Collection[str]) -> frozenset[str]:
    """Return the words of family names as `pieces` looks for them; double names are two."""
    return frozenset(
        part
        for name in names
        for part in re.split(r"[\s\-]+", folded(name))
        if len(part) >= SHORTEST_NAME and part not in _PARTICLES
    )


def pieces(text: str, names: frozenset[str]) -> list[Piece]:
    """Return a text in parts; those that may tell who somebody is have a hint.

    Hints are for the eye of a reader and decide nothing: a name that nobody knows here has none.

    Args:
        text: what somebody wrote.
        names: `name_parts` of those who were there.

    """
    spans = sorted(
        [*_emails(text), *_numbers(text), *_addressed(text), *_known(text, names)],
        key=lambda span: (span[0], -span[1]),
    )
    found: list[Piece] = []
    end = 0
    for begins, ends, hint in spans:
        if begins < end:
            continue
        if begins > end:
            found.append(Piece(text[end:begins]))
        found.append(Piece(text[begins:ends], hint))
        end = ends
    if end < len(text):
        found.append(Piece(text[end:]))
    return found


_Span = tuple[int, int, str]


def _emails(text: str) -> Iterator[_Span]:
    # Word by word: a pattern around the @ would try each sign of a long word as a beginning.
    for word in re.finditer(r"\S+", text):
        address = word.group().strip(_AROUND)
        if "@" in address:
            begins = word.start() + word.group().index(address)
            yield begins, begins + len(address), "mögliche Adresse"


def _numbers(text: str) -> Iterator[_Span]:
    for found in _FILE.finditer(text):
        yield *found.span(), "mögliche Nummer"
    for found in _NUMBER.finditer(text):
        digits = sum(sign.isdigit() for sign in found.group())
        before = text[max(0, found.start() - _LONGEST_NUMBER_WORD) : found.start()]
        if _CLOCK.fullmatch(found.group()):
            continue
        year = found.group().isdecimal() and int(found.group()[:_MANY_DIGITS]) in _YEARS
        many = digits > _MANY_DIGITS or (digits == _MANY_DIGITS and not year)
        if many or _NUMBERED.search(before):
            yield *found.span(), "mögliche Nummer"


def _addressed(text: str) -> Iterator[_Span]:
    for found in _ADDRESSED.finditer(text):
        if found["name"][0].isupper():
            yield *found.span("name"), "möglicher Name"


def _known(text: str, names: frozenset[str]) -> Iterator[_Span]:
    for word in _WORD.finditer(text):
        parts = [part.strip("'") for part in folded(word.group()).split("-")]
        # „Müllers“ and „Müller's“.
        if any(form in names for part in parts for form in (part, part[:-1], part[:-2])):
            yield *word.span(), "möglicher Name"
