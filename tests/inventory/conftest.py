"""Browsers of people with a role."""

from tests.office.conftest import browser, office

__all__ = ["browser", "office"]
