"""Tables of the organisations."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice


class Level(StrEnum):
    """Where in the tree an organisation stands."""

    GROUP = "group"
    AUTHORITY = "authority"
    UNIT = "unit"


class OrganisationKind(StrEnum):
    """The kinds that statistics distinguish."""

    CITY = "city"
    DISTRICT = "district"
    STATE_POLICE = "state_police"
    FEDERAL_POLICE = "federal_police"
    CUSTOMS = "customs"
    TAX = "tax"
    JUSTICE = "justice"
    STATE_AUTHORITY = "state_authority"
    REGIONAL_GOVERNMENT = "regional_government"
    JOBCENTER = "jobcenter"
    UNIVERSITY = "university"
    OTHER = "other"


class Partnership(StrEnum):
    """What an organisation is to the cooperation."""

    FOUNDER = "founder"
    PARTNER = "partner"
    NETWORK = "network"
    CONTACT = "contact"
    NONE = "none"


LEVEL_NAMES = {
    Level.GROUP: "Verbund",
    Level.AUTHORITY: "Behörde",
    Level.UNIT: "Dienststelle",
}
KIND_NAMES = {
    OrganisationKind.CITY: "Stadt/Gemeinde",
    OrganisationKind.DISTRICT: "Kreis",
    OrganisationKind.STATE_POLICE: "Landespolizei",
    OrganisationKind.FEDERAL_POLICE: "Bundespolizei",
    OrganisationKind.CUSTOMS: "Zoll",
    OrganisationKind.TAX: "Finanzverwaltung",
    OrganisationKind.JUSTICE: "Justiz",
    OrganisationKind.STATE_AUTHORITY: "Landesministerium/-behörde",
    OrganisationKind.REGIONAL_GOVERNMENT: "Bezirksregierung",
    OrganisationKind.JOBCENTER: "Jobcenter/Familienkasse",
    OrganisationKind.UNIVERSITY: "Hochschule",
    OrganisationKind.OTHER: "Stiftung/Sonstige",
}
PARTNERSHIP_NAMES = {
    Partnership.FOUNDER: "Gründungspartner",
    Partnership.PARTNER: "Kooperationspartner",
    Partnership.NETWORK: "Netzwerkpartner",
    Partnership.CONTACT: "Arbeitskontakt",
    Partnership.NONE: "keiner",
}


class Organisation(Base):
    """A group, an authority or one of its units."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_into_itself"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_below_itself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    level: Mapped[Level] = mapped_column(choice(Level))
    name: Mapped[str] = mapped_column(String(160))
    short_name: Mapped[str] = mapped_column(String(60))
    sort_key: Mapped[str] = mapped_column(String(200), index=True)
    kind: Mapped[OrganisationKind] = mapped_column(choice(OrganisationKind))
    partnership: Mapped[Partnership] = mapped_column(choice(Partnership))
    partner_since: Mapped[date | None]
    mailbox: Mapped[str] = mapped_column(String(254), default="")
    retired_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)

    parent: Mapped[Organisation | None] = relationship(
        remote_side="Organisation.id", foreign_keys=[parent_id]
    )
    merged_into: Mapped[Organisation | None] = relationship(
        remote_side="Organisation.id", foreign_keys=[merged_into_id]
    )
    domains: Mapped[list[OrganisationDomain]] = relationship(
        back_populates="organisation",
        cascade="all, delete-orphan",
        order_by="OrganisationDomain.domain",
    )

    @property
    def is_active(self) -> bool:
        """Whether people may still choose it."""
        return self.retired_at is None and self.merged_into_id is None


class OrganisationDomain(Base):
    """A mail domain of an organisation; one domain may belong to many."""

    __tablename__ = "organisation_domains"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    domain: Mapped[str] = mapped_column(String(190), primary_key=True, index=True)

    organisation: Mapped[Organisation] = relationship(back_populates="domains")
