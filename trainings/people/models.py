"""Tables of the people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.permissions import Role
from trainings.core.retention import Retention, personal
from trainings.organisations.models import Organisation


def full_name(title: str, given_name: str, family_name: str) -> str:
    """Return a name as one addresses somebody: „Dr. Jördis Kałuża“."""
    return " ".join(filter(None, (title, given_name, family_name)))


class Person(Base):
    """Somebody whom the office knows; an account is optional.

    An e-mail address belongs to one living person; an anonymised one keeps only a random key.
    """

    __tablename__ = "persons"
    __table_args__ = (
        Index(
            "uq_persons_email_living",
            "email",
            unique=True,
            sqlite_where=text("anonymised_at IS NULL"),
            postgresql_where=text("anonymised_at IS NULL"),
        ),
        CheckConstraint("email = lower(email)", name="email_normalised"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    title: Mapped[str] = mapped_column(String(40), default="", info=personal(Retention.PERSON))
    given_name: Mapped[str] = mapped_column(String(80), info=personal(Retention.PERSON))
    family_name: Mapped[str] = mapped_column(String(80), info=personal(Retention.PERSON))
    sort_key: Mapped[str] = mapped_column(String(200), index=True, info=personal(Retention.PERSON))
    email: Mapped[str] = mapped_column(String(254), info=personal(Retention.PERSON))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    unit: Mapped[str] = mapped_column(String(120), default="", info=personal(Retention.PERSON))
    function: Mapped[str] = mapped_column(String(120), default="", info=personal(Retention.PERSON))
    created_at: Mapped[datetime]
    informed_at: Mapped[datetime | None]
    """When the person learned what is stored: on joining, or by the first mail (GDPR 13, 14)."""
    anonymised_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    account: Mapped[Account | None] = relationship(back_populates="person")
    roles: Mapped[list[PersonRole]] = relationship(
        back_populates="person", cascade="all, delete-orphan"
    )

    @property
    def name(self) -> str:
        """The name as one addresses somebody: „Dr. Jördis Kałuża“."""
        return full_name(self.title, self.given_name, self.family_name)

    @property
    def list_name(self) -> str:
        """The name as lists sort it: „Kałuża, Jördis“."""
        return f"{self.family_name}, {self.given_name}"


class PersonRole(Base):
    """A role that a person holds."""

    __tablename__ = "person_roles"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(choice(Role), primary_key=True)

    person: Mapped[Person] = relationship(back_populates="roles")


class Account(Base):
    """The right of a person to log in."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200), info=personal(Retention.PERSON))
    epoch: Mapped[int] = mapped_column(default=0)
    """Rises when somebody logs out everywhere; a cookie of an older epoch no longer counts."""
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None] = mapped_column(info=personal(Retention.PERSON))
    disabled_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(back_populates="account")


class LoginRequest(Base):
    """A mail with a link and a six-digit code, for somebody known or new."""

    __tablename__ = "login_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    """Ties the form for the code to the browser that asked."""
    email: Mapped[str] = mapped_column(String(254), info=personal(Retention.LOGIN))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    next_url: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    failed_attempts: Mapped[int] = mapped_column(default=0)


class OrganisationContact(Base):
    """A person who speaks for an organisation (Fortbildungsstelle), or the deputy."""

    __tablename__ = "organisation_contacts"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    is_deputy: Mapped[bool] = mapped_column(default=False)

    organisation: Mapped[Organisation] = relationship()
    person: Mapped[Person] = relationship()
