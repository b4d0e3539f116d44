"""Fills in forms as a browser does: takes the fields of the page, tokens included, sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_SKIPPED_TYPES = {"submit", "button", "image", "reset", "file"}
Value = str | Sequence[str]


@dataclass
class PageForm:
    """A form of a page with what it would send if nothing were typed."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, value and words of each submit button."""


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._select: str = ""
        self._option: str | None = None
        self._textarea: str | None = None
        self._text = ""
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = attributes.get("method", "get").lower()
            self._form = PageForm(attributes.get("action", ""), method)
            self.forms.append(self._form)
        form = self._form
        if form is None:
            return
        name = attributes.get("name", "")
        if tag in {"input", "select", "textarea"} and name:
            form.names.add(name)
        if tag == "input":
            self._input(form, name, attributes)
        elif tag == "select":
            self._select = name
            self._option = None
        elif tag == "option" and self._select:
            value = attributes.get("value", "")
            if "selected" in attributes or self._option is None:
                self._option = value
        elif tag == "textarea":
            self._textarea, self._text = name, ""
        elif tag == "button":
            self._button, self._text = (name, attributes.get("value", "")), ""

    def _input(self, form: PageForm, name: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text")
        if kind == "submit":
            form.buttons.append((name, attributes.get("value", ""), attributes.get("value", "")))
        if not name or kind in _SKIPPED_TYPES:
            return
        if kind in {"checkbox", "radio"}:
            if "checked" in attributes:
                form.fields.setdefault(name, []).append(attributes.get("value", "on"))
            return
        form.fields.setdefault(name, []).append(attributes.get("value", ""))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        form = self._form
        if form is None:
            return
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select:
            form.fields.setdefault(self._select, []).append(self._option or "")
            self._select = ""
        elif tag == "textarea" and self._textarea is not None:
            form.fields.setdefault(self._textarea, []).append(self._text.lstrip("\n"))
            self._textarea = None
        elif tag == "button" and self._button:
            form.buttons.append((*self._button, " ".join(self._text.split())))
            self._button = None


def forms_of(html: str) -> list[PageForm]:
    """Return the forms of a page."""
    parser = _FormParser()
    parser.feed(html)
    return parser.forms


def find_form(html: str, data: Mapping[str, Value], button: str | None) -> PageForm:
    """Return the first form that posts, has the fields and the button (by its words or name)."""
    for form in forms_of(html):
        pressed = button is None or any(button in {name, words} for name, _, words in form.buttons)
        if form.method == "post" and pressed and set(data) <= form.names:
            return form
    raise AssertionError(f"No form on the page has {sorted(data)} and the button {button!r}.")


def send(
    client: FlaskClient,
    url: str,
    html: str,
    data: Mapping[str, Value] | None = None,
    *,
    button: str | None = None,
) -> TestResponse:
    """Fill in a form of a page that was loaded before, and send it.

    Args:
        client: the browser.
        url: address of the page.
        html: the page.
        data: what is typed; other fields keep their values.
        button: words or name of the button that is pressed; the first one if None.

    """
    typed = data or {}
    form = find_form(html, typed, button)
    values: dict[str, Value] = {**form.fields, **typed}
    for name, value, words in form.buttons:
        if button is None or button in {name, words}:
            if name:
                values[name] = value
            break
    return client.post(form.action or url, data=values)


def submit(
    client: FlaskClient,
    url: str,
    data: Mapping[str, Value] | None = None,
    *,
    button: str | None = None,
) -> TestResponse:
    """Open a page, fill in its form and send it; redirects are not followed."""
    page = client.get(url)
    assert page.status_code == 200, f"{url}: {page.status_code}"
    return send(client, url, page.get_data(as_text=True), data, button=button)
