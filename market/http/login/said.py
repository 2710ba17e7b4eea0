"""What the library says at the door, in our words: it has its own for some languages, and not for all of ours."""

from market.kernel.words import N_

_LINK = N_("This link does not work any more. Ask for a new one here.")
_LETTER = N_("A letter is on its way to %(email)s. Follow its link.")
_SET = N_("Your password is set. Sign in with it now.")
_DIFFER = N_("The two passwords differ.")
_SIGN_IN = N_("Sign in to see this page.")

SAID = {
    "GENERIC_AUTHN_FAILED": (N_("The e-mail address or the password is wrong."), "error"),
    "GENERIC_RECOVERY": (N_("If there is an account with this address, a letter with a link is on its way to it."), "info"),
    "UNAUTHENTICATED": (_SIGN_IN, "error"),
    "LOGIN": (_SIGN_IN, "info"),
    "REAUTHENTICATION_REQUIRED": (N_("Give your password once more."), "error"),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Thank you. You can go on."), "info"),
    "CONFIRM_REGISTRATION": (_LETTER, "success"),
    "CONFIRMATION_REQUEST": (_LETTER, "info"),
    "CONFIRMATION_REQUIRED": (N_("Follow the link in the letter that confirms your address first; then sign in."), "error"),
    "CONFIRMATION_EXPIRED": (_LINK, "error"),
    "INVALID_CONFIRMATION_TOKEN": (_LINK, "error"),
    "EMAIL_CONFIRMED": (N_("Your address is confirmed. You can sign in now."), "success"),
    "ALREADY_CONFIRMED": (N_("Your address is confirmed already."), "info"),
    "PASSWORD_RESET_REQUEST": (_LETTER, "info"),
    "PASSWORD_RESET_EXPIRED": (_LINK, "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (_LINK, "error"),
    "PASSWORD_RESET": (_SET, "success"),
    "PASSWORD_RESET_NO_LOGIN": (_SET, "success"),
    "PASSWORD_CHANGE": (N_("Your password is changed."), "success"),
    "PASSWORD_IS_THE_SAME": (N_("The new password is the same as the old one."), "error"),
    "PASSWORD_MISMATCH": (_DIFFER, "error"),
    "RETYPE_PASSWORD_MISMATCH": (_DIFFER, "error"),
    "PASSWORD_NOT_PROVIDED": (N_("Write a password."), "error"),
    "PASSWORD_INVALID_LENGTH": (N_("A password has at least %(length)s characters."), "error"),
    "PASSWORD_TOO_SIMPLE": (N_("This password is too easy to guess."), "error"),
    "INVALID_PASSWORD": (N_("This is not your password."), "error"),
    "EMAIL_NOT_PROVIDED": (N_("Write your e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (N_("Please enter the whole e-mail address, such as ana@example.org."), "error"),
    "DISABLED_ACCOUNT": (N_("This account is closed."), "error"),
}
"""The library's name of a message -> what it says, and its kind."""
