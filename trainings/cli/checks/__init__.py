"""What must always be true of the data: one function for each invariant.

A check gets the session and the present instant and returns one German sentence for each finding,
without names of people: registrations and events are named by number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.cli.checks import (
    accounts,
    attendance,
    card_orders,
    cards,
    certificates,
    closings,
    events,
    feedback_results,
    feedback_texts,
    places,
    registrations,
    stocktakes,
    wishes,
)

Check = Callable[[Session, datetime], list[str]]

CHECKS: tuple[Check, ...] = (
    accounts.somebody_administers,
    events.numbers_are_within_their_series,
    events.days_equal_the_sessions,
    events.no_trainer_is_booked_twice,
    events.no_room_is_booked_twice,
    places.no_pool_is_overbooked,
    places.held_places_are_kept,
    places.organisation_limits_are_kept,
    places.nobody_waits_beside_a_free_place,
    places.offers_have_an_end,
    places.releases_are_decided_once,
    registrations.nobody_is_registered_twice,
    registrations.nobody_sits_in_two_events_at_once,
    registrations.tickets_belong_to_places,
    registrations.attendance_belongs_to_places,
    closings.closed_attendance_keeps_no_times,
    registrations.substitutes_sit_in_the_place_of_somebody_else,
    registrations.histories_lead_to_the_states,
    attendance.marks_equal_their_recordings,
    attendance.walk_ins_are_settled_once,
    certificates.numbers_are_given_once,
    certificates.nobody_has_two_certificates,
    certificates.certificates_agree_with_the_attendance,
    wishes.a_wish_gives_one_place,
    wishes.ended_wishes_hold_no_list,
    wishes.wishes_are_of_one_person,
    cards.balances_equal_the_journal,
    cards.holds_belong_to_open_orders,
    cards.holds_are_covered,
    cards.nothing_is_held_of_withdrawn_editions,
    cards.reversals_mirror_what_they_reverse,
    cards.retired_stores_are_empty,
    card_orders.histories_lead_to_the_states,
    card_orders.approved_orders_say_how_many,
    card_orders.sent_is_what_was_approved,
    stocktakes.posted_differences_equal_the_counts,
    stocktakes.only_posted_stocktakes_have_movements,
    feedback_texts.removed_texts_are_empty,
    feedback_texts.texts_are_read_when_they_may_be,
    feedback_texts.texts_belong_to_a_free_question,
    feedback_results.releases_equal_the_rule,
)
