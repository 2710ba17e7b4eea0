"""The door's forms: the library's, with a name, a brake, and no box to be remembered by (sessions last two weeks)."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from flask_security.forms import ForgotPasswordForm, LoginForm, RegisterFormV2, SendConfirmationForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from market.http import clock, i18n
from market.http.db import unit_of_work
from market.http.login import throttle


class SignInForm(LoginForm):  # type: ignore[misc]
    """E-mail and password."""

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        """Look whether the pair is right, unless there were too many wrong ones (then 429)."""
        subjects = (throttle.account(self.email.data or ""), throttle.address(request.remote_addr))
        now = clock.now()
        with unit_of_work() as session:
            throttle.check(session, *subjects, now=now)
        right = bool(super().validate(**kwargs))
        with unit_of_work() as session:
            if right:
                throttle.forgive(session, subjects[0])
            elif not self.user_authenticated:
                throttle.note_failure(session, *subjects, now=now)
        return right


class SignUpForm(RegisterFormV2):  # type: ignore[misc]
    """E-mail, name and a password, typed once: it can be set anew by mail."""

    name = StringField(
        _l("Name"), validators=[InputRequired(_l("Write a name; any name that people know you by.")), Length(max=200)]
    )

    def validate(self, **kwargs: Any) -> bool:
        """Look whether an account can be made; each try may send a letter, so they are counted."""
        _count_letter(self.email.data)
        return bool(super().validate(**kwargs))

    def to_dict(self, only_user: bool) -> dict[str, Any]:
        """Return what makes the account; the name and the language of letters go to `accounts`."""
        return super().to_dict(only_user) | {"name": self.name.data, "locale": i18n.letter_language()}


class ForgotForm(ForgotPasswordForm):  # type: ignore[misc]
    """Asks for a link that sets a new password."""

    def validate(self, **kwargs: Any) -> bool:
        """Look whether there is such an account; the answer is the same either way."""
        _count_letter(self.email.data)
        return bool(super().validate(**kwargs))


class ConfirmAgainForm(SendConfirmationForm):  # type: ignore[misc]
    """Asks for another link that confirms the address."""

    def validate(self, **kwargs: Any) -> bool:
        """Look whether there is something to confirm; the answer is the same either way."""
        _count_letter(self.email.data)
        return bool(super().validate(**kwargs))


def _count_letter(email: str | None) -> None:
    subjects = (throttle.letters(email or ""), throttle.letters_from(request.remote_addr))
    now = clock.now()
    with unit_of_work() as session:
        throttle.check(session, *subjects, now=now)
        throttle.note_failure(session, *subjects, now=now)
