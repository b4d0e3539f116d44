"""Use cases of logging in: by a link or a code from a mail, or by password."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from trainings.core.errors import DomainError
from trainings.core.outbox import post
from trainings.core.settings import current_settings
from trainings.core.text import normalise_email
from trainings.core.throttle import count_attempt, network_of
from trainings.core.tokens import Purpose, action_path, issue, new_token
from trainings.people.mails import LOG_IN_KIND, log_in_mail
from trainings.people.models import Account, LoginRequest, Person
from trainings.people.operations import open_account
from trainings.people.passwords import hash_password, is_current, password_matches
from trainings.people.queries import (
    credentials,
    organisations_for_email,
    person_by_email,
)

REQUEST_LASTS = timedelta(minutes=30)
MOST_TRIES = 5
KEY_LENGTH = 40
KEPT_AFTERWARDS = timedelta(days=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Verified:
    """Somebody who has shown that a mailbox is theirs.

    Attributes:
        email: the verified address.
        next_url: where they wanted to go, a path of this application, may be empty.
        account_id: None for somebody who is not known yet.
        epoch: the account's epoch, for the cookie.

    """

    email: str
    next_url: str
    account_id: int | None
    epoch: int = 0


def count_client(session: Session, client: str, now: datetime) -> None:
    """Count a request for a mail or a try of a password by one client address.

    Generous, since a whole authority sits behind one address and some hundred people come at once
    when a new date opens.

    Raises:
        DomainError: `too_many_attempts`, status 429.

    """
    count_attempt(session, f"client:{network_of(client)}", now, limit=1000, window=_HOUR)


def start_login_request(
    session: Session, email: str, next_url: str, now: datetime, *, key: str = ""
) -> LoginRequest:
    """Store a request to log in; write a mail with link and code if it leads anywhere.

    A mail goes out if a living person has the address or its domain belongs to an organisation. The
    request is stored in any case, so that the next page is the same.

    Args:
        session: the open transaction.
        email: any address.
        next_url: where to go afterwards, a path of this application that was checked.
        now: the present instant.
        key: ties the form for the code to the browser that asks, at most 40 signs; random if empty.

    Raises:
        DomainError: `too_many_attempts`, status 429.

    """
    address = normalise_email(email)
    count_attempt(session, f"mail:{address}", now, limit=6, window=REQUEST_LASTS)
    count_attempt(session, f"mail-day:{address}", now, limit=30, window=_DAY)
    code = f"{secrets.randbelow(1_000_000):06d}"
    key = key or new_token()
    request = LoginRequest(
        key=key,
        email=address,
        code_hash=_code_hash(key, code),
        next_url=next_url,
        created_at=now,
        expires_at=now + REQUEST_LASTS,
    )
    session.add(request)
    session.flush()
    person = person_by_email(session, address)
    organisations = organisations_for_email(session, address)
    if _is_welcome(person) if person else organisations:
        token = issue(session, Purpose.LOG_IN, request.id, now, request.expires_at)
        mail = log_in_mail(action_path(token), code, request.expires_at, is_new=person is None)
        post(
            session,
            kind=LOG_IN_KIND,
            to=address,
            name=person.name if person else "",
            mail=mail,
            now=now,
        )
    return request


def count_code_try(session: Session, key: str, now: datetime) -> None:
    """Count a try of a code before it is compared, so that no two tries pass as one.

    Counting is an operation of its own because it has to be committed although the code is wrong.

    Raises:
        DomainError: `code_unusable` if the request is unknown, used, has run out or was tried too
            often; `too_many_attempts`.

    """
    request = _lock_request(session, LoginRequest.key == key)
    if not _is_usable(request, now) or request.failed_attempts >= MOST_TRIES:
        raise DomainError(
            "code_unusable",
            "Dieser Code gilt nicht mehr. Bitte fordern Sie einen neuen an.",
            status=410,
        )
    # Five tries for each of many requests would be many tries: at most 30 a day per address, which
    # leaves a guess 1 chance in 33,000 a day. The link in the mail works beyond that.
    count_attempt(session, f"code:{request.email}", now, limit=30, window=_DAY)
    request.failed_attempts += 1


def use_code(session: Session, key: str, code: str, now: datetime) -> Verified:
    """Log in by a code, in the browser that asked for it.

    Args:
        session: the open transaction.
        key: from the signed cookie.
        code: as typed; spaces and hyphens do not matter.
        now: the present instant.

    Raises:
        DomainError: `wrong_code`; `account_disabled`.

    """
    request = _lock_request(session, LoginRequest.key == key)
    digits = "".join(sign for sign in code if sign not in " -\u00a0")
    right = hmac.compare_digest(_code_hash(key, digits), request.code_hash)
    if not right or not _is_usable(request, now):
        left = MOST_TRIES - request.failed_attempts
        tries = "einen Versuch" if left == 1 else f"{left} Versuche"
        way_on = (
            f"Sie haben noch {tries}." if left > 0 else "Bitte fordern Sie einen neuen Code an."
        )
        raise DomainError("wrong_code", f"Der Code stimmt nicht. {way_on}", field="code")
    return _use(session, request, now)


def use_link(session: Session, request_id: int, now: datetime) -> Verified:
    """Log in by the link in the mail, in any browser.

    Raises:
        DomainError: `link_used`, status 410; `account_disabled`.

    """
    _lock_request(session, LoginRequest.id == request_id)
    return _use(session, check_link(session, request_id, now), now)


def check_link(session: Session, request_id: int, now: datetime) -> LoginRequest:
    """Return the request of a link that still logs in.

    Raises:
        DomainError: `link_used`, status 410.

    """
    request = session.get(LoginRequest, request_id)
    if request is None or not _is_usable(request, now):
        raise DomainError(
            "link_used",
            "Dieser Link oder sein Code wurde schon benutzt. Jeder gilt nur einmal. Wenn Sie nicht "
            "eingeloggt sind, fordern Sie bitte einen neuen an.",
            status=410,
        )
    return request


def request_of_browser(session: Session, key: str) -> LoginRequest | None:
    """Return the request with the key that a browser's signed cookie holds."""
    return session.scalar(select(LoginRequest).where(LoginRequest.key == key))


def admit(session: Session, email: str, next_url: str, now: datetime) -> Verified:
    """Log in whoever has shown that a mailbox is theirs; opens the account if there is none.

    Raises:
        DomainError: `account_disabled`, status 403.

    """
    person = person_by_email(session, email)
    if person is None:
        return Verified(email, next_url, None)
    account = open_account(session, person.id, now)
    if account.disabled_at is not None:
        raise DomainError(
            "account_disabled",
            "Ihr Konto ist gesperrt. Bitte wenden Sie sich an die Geschäftsstelle.",
            status=403,
        )
    account.last_login_at = now
    return Verified(email, next_url, account.id, account.epoch)


def count_password_try(session: Session, email: str, now: datetime) -> None:
    """Count a try of a password before it is compared; committed although it may be wrong.

    Raises:
        DomainError: `too_many_attempts`; the link by mail is not concerned.

    """
    count_attempt(session, f"password:{email}", now, limit=10, window=_QUARTER)


def check_password(session: Session, email: str, password: str) -> str | None:
    """Check address and password, outside of a transaction since it takes long.

    Returns:
        A new hash where the stored one was made with other parameters than today's, else None.

    Raises:
        DomainError: `wrong_password`, the same for an unknown address and a wrong password.

    """
    found = credentials(session, email)
    stored = found.password_hash if found else None
    if not password_matches(stored, password):
        raise DomainError(
            "wrong_password",
            "E-Mail-Adresse oder Passwort stimmen nicht. Ohne Passwort geht es auch: Lassen Sie "
            "das Feld leer, dann schicken wir Ihnen einen Link.",
        )
    return hash_password(password) if stored and not is_current(stored) else None


def log_in_by_password(
    session: Session, email: str, new_hash: str | None, next_url: str, now: datetime
) -> Verified:
    """Log in after `check_password`; stores the new hash if there is one."""
    verified = admit(session, email, next_url, now)
    if new_hash and verified.account_id is not None:
        session.get_one(Account, verified.account_id).password_hash = new_hash
    return verified


def forget_login_requests(session: Session, now: datetime) -> int:
    """Delete requests that ran out a day ago; return how many."""
    result = session.execute(
        delete(LoginRequest).where(LoginRequest.expires_at < now - KEPT_AFTERWARDS)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _code_hash(key: str, code: str) -> bytes:
    """Return what is stored of a code.

    Keyed, because a million codes are quickly tried by whoever reads the table.
    """
    secret = current_settings().secret_key.encode()
    message = f"{key}:{code}".encode("utf-8", "surrogatepass")
    return hmac.new(secret, message, hashlib.sha256).digest()


def _lock_request(session: Session, condition: ColumnElement[bool]) -> LoginRequest:
    request = session.scalar(select(LoginRequest).where(condition).with_for_update())
    if request is None:
        raise DomainError(
            "code_unusable",
            "Dieser Code gilt nicht mehr. Bitte fordern Sie einen neuen an.",
            status=410,
        )
    return request


def _is_welcome(person: Person) -> bool:
    return person.account is None or person.account.disabled_at is None


def _is_usable(request: LoginRequest, now: datetime) -> bool:
    return request.used_at is None and now < request.expires_at


def _use(session: Session, request: LoginRequest, now: datetime) -> Verified:
    request.used_at = now
    return admit(session, request.email, request.next_url, now)
