"""The application factory."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_login import LoginManager
from werkzeug.middleware.proxy_fix import ProxyFix

from trainings.core.database import db, engine_options
from trainings.core.files import resource_folder
from trainings.core.settings import Settings, load_settings
from trainings.people.sessions import load_logged_in
from trainings.web import access, assets, converters, errors, headers, rooms, sessions, shell

LARGEST_REQUEST_BYTES = 1_000_000
LARGEST_FORM_BYTES = 400_000
LOGIN_LASTS = timedelta(hours=12)


def build_app(settings: Settings | None = None) -> Flask:
    """Build the application from settings; see `trainings.create_app`."""
    settings = settings or load_settings()
    app = Flask(
        "trainings",
        static_folder=None,
        template_folder=str(resource_folder("templates")),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        SESSION_COOKIE_NAME="trainings",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=LOGIN_LASTS,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_I18N_ENABLED=False,
    )
    app.extensions["settings"] = settings
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]

    settings.instance.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    app.session_interface = sessions.Sessions()
    login = LoginManager(app)
    login.session_protection = None
    login.user_loader(load_logged_in)

    converters.install(app)
    assets.install(app)
    shell.install(app)
    access.install(app)
    headers.install(app)
    errors.install(app)
    rooms.install(app)
    return app
