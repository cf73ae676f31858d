"""The one way to send mail, with one exception for all that can go wrong."""

import smtplib

from django.core.mail import EmailMessage


class MailFailed(Exception):
    """The mail server did not accept it; it may later."""


def deliver(message: EmailMessage) -> None:
    """Raises MailFailed."""
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a bad header
        raise MailFailed(type(error).__name__) from None
