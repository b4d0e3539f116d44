"""The button „Karte“ in the list at the door; `web.rooms` offers it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from trainings.attendance.extras import ExtraOffer
from trainings.inventory.handouts.reads import cards_of_people, events_with_cards
from trainings.inventory.handouts.tap_operations import cards_for_a_person, tap
from trainings.inventory.models import Movement

SOURCE = "cards"


def people_with_cards(session: Session, event_id: int) -> frozenset[int]:
    """Return the registrations of those who have every card that is given at an event."""
    wanted = cards_for_a_person(session, event_id)
    has = cards_of_people(session, Movement.event_id == event_id)
    return frozenset(person for person, cards in has.items() if wanted <= set(cards))


CARD_BUTTON = ExtraOffer(
    concerns=events_with_cards,
    done=people_with_cards,
    press=tap,
    word="Karte",
    done_word="hat Karte",
    icon="card",
)
