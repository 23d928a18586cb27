"""What went wrong, said clearly, in the visitor's language, losing nothing."""

import random
from collections.abc import Sequence
from typing import Any

import structlog
from flask import Flask, Response, abort, make_response, request
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from server.db import DatabaseBusyError
from server.views.respond import page_or

log = structlog.get_logger()
RETRY_AFTER_S = (2, 10)


def init_app(app: Flask) -> None:
    """Answer every error with a page of ours."""
    app.before_request(_find_nothing_at_zero)
    app.register_error_handler(HTTPException, _expected)
    app.register_error_handler(DatabaseBusyError, _busy)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int,
    title: str,
    advice: str,
    *,
    sender: str = "",
    ways: Sequence[tuple[str, str]] = (),
) -> Response:
    """Return the page that says what happened and what to do.

    `sender` is the name of the shop, where it is known; `ways` are what else
    there is to see, each as it is called and its address.
    """
    return page_or(
        "errors/_problem.html",
        "errors/page.html",
        status=status,
        title=title,
        advice=advice,
        is_office=_is_office(),
        sender=sender,
        ways=ways,
    )


def _is_office() -> bool:
    """Return whether a colleague of the shop reads this, and no visitor."""
    return request.path.startswith("/office")


def _find_nothing_at_zero() -> None:
    """No address of ours holds a zero byte, and PostgreSQL refuses to look for one."""
    if "\x00" in request.path:
        abort(404)


def _expected(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    title, advice = _words(error.code)
    response = problem(error.code, title, advice)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _words(status: int) -> tuple[str, str]:
    return {
        404: (
            _("This page is not here"),
            _("Check the address, or start again from the office.")
            if _is_office()
            else _("Check the address, or go back to the shop where you came from."),
        ),
        405: (
            _("That cannot be done here"),
            _("Go back and use the button on the page."),
        ),
        413: (
            _("That was too much at once"),
            _("Go back and send less; a short answer is enough."),
        ),
    }.get(
        status,
        (
            _("This request could not be read"),
            _("Go back, load the page again and try once more."),
        ),
    )


def _busy(_error: Exception) -> Response:
    response = problem(
        503,
        _("It is very busy right now"),
        _("Nothing is lost. Wait a few seconds and press the button again."),
    )
    # Spread, so that those who were turned away do not all come back at once.
    seconds = random.randint(*RETRY_AFTER_S)  # noqa: S311  # no secret
    response.headers["Retry-After"] = str(seconds)
    return response


def _database(error: DBAPIError) -> Response:
    log.error(
        "database refused",
        error=type(error.orig).__name__,
        route=request.endpoint,
    )
    return _busy(error)


def _unexpected(error: Exception) -> Response:
    # The message may carry what a visitor typed, so only its kind is logged (T23).
    log.error("unexpected", error=type(error).__name__, where=_where(error))
    return make_response(
        problem(
            500,
            _("Something went wrong on our side"),
            _("Nothing was changed. Try again in a minute."),
        )
    )


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_qualname}:{last.tb_lineno}" if last else ""
