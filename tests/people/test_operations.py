"""Use cases about persons, accounts, roles and contacts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import factories
from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.people.mailbox import letters
from trainings.core.actors import SYSTEM, VISITOR, Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.organisations.models import Level, Organisation
from trainings.people.contacts import remove_contact, set_contact
from trainings.people.models import Account, OrganisationContact, Person
from trainings.people.operations import (
    change_email,
    create_person,
    join,
    log_out_everywhere,
    open_account,
    set_password,
    set_roles,
    update_person,
)
from trainings.people.queries import (
    contacts_of,
    find_people,
    organisations_for_email,
    person_by_email,
)

pytestmark = pytest.mark.both_databases
EMAIL = "neu@stadt-essen.example"


def make_organisation(name: str = "Stadt Essen", domain: str = "stadt-essen.example") -> int:
    with transaction() as session:
        return factories.make_organisation(session, name, domains=(domain,)).id


def make_person(*roles: Role, account: bool = True) -> Actor:
    with transaction() as session:
        return factories.actor_for(factories.make_person(session, roles=roles, account=account))


def person_id_of(actor: Actor) -> int:
    assert actor.person_id is not None
    return actor.person_id


def create(organisation_id: int, email: str = EMAIL, actor: Actor = SYSTEM) -> int:
    with transaction() as session:
        return create_person(
            session,
            actor,
            email=email,
            given_name="Jördis",
            family_name="Kałuża",
            organisation_id=organisation_id,
            now=NOW,
        ).id


def roles_of(person_id: int) -> set[Role]:
    db.session.rollback()
    return {row.role for row in db.session.get_one(Person, person_id).roles}


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


# Persons


def test_person_is_created_without_an_account(app: Flask) -> None:
    person_id = create(make_organisation(), "  NEU@Stadt-Essen.example ")
    person = db.session.get_one(Person, person_id)
    assert (person.email, person.sort_key, person.account) == (EMAIL, "kaluza jordis", None)
    assert roles_of(person_id) == {Role.PARTICIPANT}
    assert actions() == ["person_created"]


def test_address_belongs_to_one_living_person(app: Flask) -> None:
    organisation_id = make_organisation()
    first = create(organisation_id)
    with pytest.raises(DomainError) as refusal:
        create(organisation_id, EMAIL.upper())
    assert refusal.value.code == "email_taken"
    with transaction() as session:
        session.get_one(Person, first).anonymised_at = NOW
    assert create(organisation_id) != first


def test_same_address_at_the_same_time_makes_one_person(app: Flask) -> None:
    organisation_id = make_organisation()
    results = run_together(app, [lambda: create(organisation_id) for _ in range(8)])
    created = [result for result in results if isinstance(result, int)]
    refused = [result for result in results if not isinstance(result, int)]
    assert len(created) == 1
    assert {getattr(result, "code", result) for result in refused} == {"email_taken"}


def test_person_needs_an_organisation_that_may_be_chosen(app: Flask) -> None:
    organisation_id = make_organisation()
    with transaction() as session:
        session.get_one(Organisation, organisation_id).retired_at = NOW
    for unusable in (organisation_id, 4711):
        with pytest.raises(DomainError) as refusal:
            create(unusable)
        assert (refusal.value.code, refusal.value.field) == (
            "organisation_unknown",
            "organisation_id",
        )


def test_who_joins_chooses_among_the_organisations_of_their_address(app: Flask) -> None:
    own = make_organisation()
    foreign = make_organisation("Zollamt", "zoll.example")
    details = {
        "email": EMAIL,
        "given_name": "A",
        "family_name": "B",
        "title": "",
        "unit": "",
        "function": "",
        "now": NOW,
    }
    with pytest.raises(DomainError) as refusal, transaction() as session:
        join(session, organisation_id=foreign, **details)
    assert refusal.value.code == "foreign_organisation"
    with transaction() as session:
        account = join(session, organisation_id=own, **details)
    assert account.person.organisation_id == own


def test_account_is_opened_once(app: Flask) -> None:
    person_id = person_id_of(make_person(account=False))
    for _ in range(2):
        with transaction() as session:
            open_account(session, person_id, NOW)
    assert db.session.scalar(select(func.count()).select_from(Account)) == 1
    assert actions() == ["account_opened"]


def test_account_is_opened_once_by_two_logins_at_the_same_time(app: Flask) -> None:
    person_id = person_id_of(make_person(account=False))

    def work() -> int:
        with transaction() as session:
            return open_account(session, person_id, NOW).id

    results = run_together(app, [work] * 8)
    assert len(set(results)) == 1
    assert isinstance(results[0], int)


def update(actor: Actor, person_id: int, organisation_id: int, name: str = "Neu") -> None:
    with transaction() as session:
        update_person(
            session,
            actor,
            person_id,
            given_name=name,
            family_name="Überall",
            title="",
            organisation_id=organisation_id,
            unit="",
            function="",
            now=NOW,
        )


def test_people_change_their_own_data_and_nobody_elses(app: Flask) -> None:
    me, other = make_person(), make_person()
    home = me.organisation_ids[0]
    update(me, person_id_of(me), home)
    assert db.session.get_one(Person, person_id_of(me)).sort_key == "uberall neu"
    for actor in (me, VISITOR):
        with pytest.raises(DomainError) as refusal:
            update(actor, person_id_of(other), home)
        assert refusal.value.status == 404


def test_office_chooses_any_organisation_people_only_their_own(app: Flask) -> None:
    me, office = make_person(), make_person(Role.COORDINATOR)
    elsewhere = make_organisation("Zollamt", "zoll.example")
    with pytest.raises(DomainError) as refusal:
        update(me, person_id_of(me), elsewhere)
    assert refusal.value.code == "foreign_organisation"
    update(office, person_id_of(me), elsewhere)
    assert db.session.get_one(Person, person_id_of(me)).organisation_id == elsewhere


def test_anonymised_person_cannot_be_changed(app: Flask) -> None:
    me, office = make_person(), make_person(Role.COORDINATOR)
    with transaction() as session:
        session.get_one(Person, person_id_of(me)).anonymised_at = NOW
    with pytest.raises(DomainError) as refusal:
        update(office, person_id_of(me), me.organisation_ids[0])
    assert refusal.value.status == 404


# Roles


def give(actor: Actor, person_id: int, *roles: Role) -> None:
    with transaction() as session:
        set_roles(session, actor, person_id, roles, NOW)


def test_office_gives_roles_but_not_its_own(app: Flask) -> None:
    office = make_person(Role.COORDINATOR)
    person_id = person_id_of(make_person(Role.PARTICIPANT))
    give(office, person_id, Role.PARTICIPANT, Role.TRAINER)
    assert roles_of(person_id) == {Role.PARTICIPANT, Role.TRAINER}
    for elevated in (Role.COORDINATOR, Role.ADMIN):
        with pytest.raises(DomainError) as refusal:
            give(office, person_id, elevated)
        assert (refusal.value.code, refusal.value.status) == ("not_allowed", 403)
    assert roles_of(person_id) == {Role.PARTICIPANT, Role.TRAINER}


def test_office_cannot_take_the_roles_of_the_office_either(app: Flask) -> None:
    office, admin = make_person(Role.COORDINATOR), make_person(Role.ADMIN)
    for person_id in (person_id_of(office), person_id_of(admin)):
        with pytest.raises(DomainError) as refusal:
            give(office, person_id, Role.PARTICIPANT)
        assert refusal.value.code == "not_allowed"


@pytest.mark.parametrize("roles", [(), (Role.PARTICIPANT, Role.CONTACT, Role.TRAINER)])
def test_others_do_not_even_learn_that_the_person_exists(
    app: Flask, roles: tuple[Role, ...]
) -> None:
    me = make_person(*roles)
    with pytest.raises(DomainError) as refusal:
        give(me, person_id_of(me), Role.ADMIN)
    assert refusal.value.status == 404


def test_administration_gives_and_takes_all_roles(app: Flask) -> None:
    admin = make_person(Role.ADMIN)
    person_id = person_id_of(make_person())
    give(admin, person_id, Role.ADMIN, Role.COORDINATOR)
    give(admin, person_id)
    assert roles_of(person_id) == set()
    assert actions() == ["roles_set", "roles_set"]


def test_system_gives_the_first_administrator_their_role(app: Flask) -> None:
    person_id = person_id_of(make_person())
    give(SYSTEM, person_id, Role.ADMIN)
    assert roles_of(person_id) == {Role.ADMIN}


def test_last_administrator_stays(app: Flask) -> None:
    admin = make_person(Role.ADMIN)
    disabled = make_person(Role.ADMIN)
    with transaction() as session:
        account = session.get_one(Person, person_id_of(disabled)).account
        assert account
        account.disabled_at = NOW
    for actor in (admin, SYSTEM):
        with pytest.raises(DomainError) as refusal:
            give(actor, person_id_of(admin), Role.PARTICIPANT)
        assert refusal.value.code == "last_admin"
    give(admin, person_id_of(admin), Role.ADMIN, Role.TRAINER)


def test_two_administrators_who_take_each_others_role_at_once_leave_one(app: Flask) -> None:
    first, second = make_person(Role.ADMIN), make_person(Role.ADMIN)
    run_together(
        app,
        [
            lambda: give(first, person_id_of(second)),
            lambda: give(second, person_id_of(first)),
        ],
    )
    left = [roles_of(person_id_of(actor)) for actor in (first, second)]
    assert sorted(map(len, left)) == [0, 1]


def test_same_roles_again_write_nothing(app: Flask) -> None:
    admin = make_person(Role.ADMIN)
    person_id = person_id_of(make_person(Role.TRAINER))
    give(admin, person_id, Role.TRAINER)
    assert actions() == []


# Addresses


def change_address(actor: Actor, person_id: int, email: str) -> None:
    with transaction() as session:
        change_email(session, actor, person_id, email, NOW)


def test_new_address_ends_all_logins_and_tells_the_former_address(app: Flask) -> None:
    office = make_person(Role.COORDINATOR)
    person = person_id_of(make_person(Role.PARTICIPANT))
    former = db.session.get_one(Person, person).email
    change_address(office, person, "Neu@Stadt-Essen.example")
    changed = db.session.get_one(Person, person, populate_existing=True)
    assert changed.email == EMAIL
    assert changed.account is not None
    assert changed.account.epoch == 1
    assert [letter.to for letter in letters()] == [former]
    assert actions() == ["email_changed"]
    change_address(office, person, EMAIL)
    assert actions() == ["email_changed"]


def test_address_belongs_to_one_person_and_is_changed_by_the_office(app: Flask) -> None:
    office, me, other = make_person(Role.COORDINATOR), make_person(), make_person()
    taken = db.session.get_one(Person, person_id_of(other)).email
    with pytest.raises(DomainError) as refusal:
        change_address(office, person_id_of(me), taken)
    assert refusal.value.code == "email_taken"
    with pytest.raises(DomainError) as refusal:
        change_address(me, person_id_of(me), EMAIL)
    assert refusal.value.status == 404


def test_the_office_cannot_take_over_the_administration_by_its_address(app: Flask) -> None:
    office, admin = make_person(Role.COORDINATOR), make_person(Role.ADMIN)
    for colleague in (admin, make_person(Role.COORDINATOR)):
        with pytest.raises(DomainError) as refusal:
            change_address(office, person_id_of(colleague), EMAIL)
        assert refusal.value.code == "not_allowed"
    change_address(admin, person_id_of(office), EMAIL)
    assert db.session.get_one(Person, person_id_of(office), populate_existing=True).email == EMAIL


# Contacts


def test_contact_gets_and_loses_the_role_with_the_organisations(app: Flask) -> None:
    office = make_person(Role.COORDINATOR)
    person_id = person_id_of(make_person(Role.PARTICIPANT))
    organisations = [make_organisation("A", "a.example"), make_organisation("B", "b.example")]
    for organisation_id in organisations:
        with transaction() as session:
            set_contact(session, office, organisation_id, person_id, is_deputy=True, now=NOW)
    with transaction() as session:
        set_contact(session, office, organisations[0], person_id, is_deputy=False, now=NOW)
    contacts = contacts_of(db.session(), organisations)
    assert [(one.organisation_id, one.is_deputy) for one in contacts] == [
        (organisations[0], False),
        (organisations[1], True),
    ]
    assert roles_of(person_id) == {Role.PARTICIPANT, Role.CONTACT}

    with pytest.raises(DomainError) as refusal:
        give(office, person_id, Role.PARTICIPANT)
    assert refusal.value.code == "still_contact"

    with transaction() as session:
        remove_contact(session, office, organisations[0], person_id, NOW)
    assert Role.CONTACT in roles_of(person_id)
    with transaction() as session:
        remove_contact(session, office, organisations[1], person_id, NOW)
    assert roles_of(person_id) == {Role.PARTICIPANT}
    assert db.session.scalar(select(func.count()).select_from(OrganisationContact)) == 0


def test_contacts_are_for_the_office_and_for_living_organisations(app: Flask) -> None:
    office, me = make_person(Role.COORDINATOR), make_person()
    organisation_id = make_organisation()
    person_id = person_id_of(me)
    with pytest.raises(DomainError) as refusal, transaction() as session:
        set_contact(session, me, organisation_id, person_id, is_deputy=False, now=NOW)
    assert refusal.value.status == 404
    with pytest.raises(DomainError) as refusal, transaction() as session:
        remove_contact(session, me, organisation_id, person_id, NOW)
    assert refusal.value.status == 404
    with pytest.raises(DomainError) as refusal, transaction() as session:
        remove_contact(session, office, organisation_id, person_id, NOW)
    assert refusal.value.status == 404
    with pytest.raises(DomainError) as refusal, transaction() as session:
        set_contact(session, office, 4711, person_id, is_deputy=False, now=NOW)
    assert refusal.value.code == "organisation_unknown"


# Passwords and cookies


def test_password_is_told_by_mail_and_raises_the_epoch(app: Flask) -> None:
    me = make_person()
    for new_hash in ("$argon2id$…", None):
        with transaction() as session:
            set_password(session, me, new_hash, NOW)
    assert db.session.scalars(select(Account)).one().epoch == 2
    assert len(letters()) == 2
    assert actions() == ["password_set", "password_removed"]


@pytest.mark.parametrize("account", [True, False])
def test_only_who_has_an_account_can_log_out_everywhere(app: Flask, account: bool) -> None:
    me = make_person(account=account)
    if account:
        with transaction() as session:
            log_out_everywhere(session, me, NOW)
        assert db.session.scalars(select(Account)).one().epoch == 1
    for actor in (VISITOR, *(() if account else (me,))):
        with pytest.raises(DomainError), transaction() as session:
            log_out_everywhere(session, actor, NOW)


# Queries


def organisation_names(email: str) -> list[str]:
    return [one.name for one in organisations_for_email(db.session(), email)]


def test_most_specific_domain_decides_the_organisation(app: Flask) -> None:
    make_organisation("Stadt Essen", "stadt.example")
    make_organisation("Jobcenter Essen", "jobcenter.stadt.example")
    assert organisation_names("a@stadt.example") == ["Stadt Essen"]
    assert organisation_names("a@ordnung.stadt.example") == ["Stadt Essen"]
    assert organisation_names("a@JOBCENTER.stadt.example") == ["Jobcenter Essen"]
    assert organisation_names("a@x.jobcenter.stadt.example") == ["Jobcenter Essen"]
    assert organisation_names("a@example") == []
    assert organisation_names("a@ndere-stadt.example") == []
    assert organisation_names("keine Adresse") == []


def test_domains_of_groups_and_units_lead_to_authorities(app: Flask) -> None:
    with transaction() as session:
        group = factories.make_organisation(
            session, "Polizei", level=Level.GROUP, domains=("polizei.example",)
        )
        for town in ("Essen", "Bochum", "Witten"):
            authority = factories.make_organisation(session, f"Präsidium {town}", parent=group)
            if town == "Witten":
                authority.retired_at = NOW
        factories.make_organisation(
            session, "Wache", parent=authority, level=Level.UNIT, domains=("witten.example",)
        )
    assert organisation_names("a@polizei.example") == ["Präsidium Bochum", "Präsidium Essen"]
    assert organisation_names("a@witten.example") == []


def test_people_are_found_by_parts_of_name_and_address(app: Flask) -> None:
    with transaction() as session:
        for given, family, email in (
            ("Kübra", "Öztürk-Lindner", "k.oe@stadt.example"),
            ("Jördis", "Kałuża", "jk_100%@siko.example"),
            ("Anna", "Über", "anna@stadt.example"),
        ):
            factories.make_person(session, given_name=given, family_name=family, email=email)

    def found(text: str) -> list[str]:
        return [person.family_name for person in find_people(db.session(), text, limit=9)[0]]

    assert found("") == ["Kałuża", "Öztürk-Lindner", "Über"]
    assert found("OZTÜRK küb") == ["Öztürk-Lindner"]
    assert found("stadt.example") == ["Öztürk-Lindner", "Über"]
    assert found("100%@") == ["Kałuża"]
    assert found("%") == ["Kałuża"]
    assert found("nirgends") == []
    people, total = find_people(db.session(), "", limit=1, offset=1)
    assert ([person.family_name for person in people], total) == (["Öztürk-Lindner"], 3)


def test_person_is_found_by_address_however_it_is_written(app: Flask) -> None:
    person_id = create(make_organisation())
    found = person_by_email(db.session(), " NEU@stadt-essen.EXAMPLE\u200b")
    assert found is not None
    assert found.id == person_id


def test_account_of_an_earlier_epoch_is_logged_out(app: Flask) -> None:
    actor = make_person()
    client = app.test_client()
    factories.log_in(client, person_id_of(actor))
    with transaction() as session:
        log_out_everywhere(session, actor, NOW + timedelta(hours=1))
    assert client.get("/konto/").status_code == 302
