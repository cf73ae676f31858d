"""The one way to send a mail, with one word for all that can go wrong on the way."""

import smtplib

from django.core.mail import EmailMessage


class MailFailed(Exception):
    """The mail server did not take it; it may later."""


def deliver(message: EmailMessage) -> None:
    """Raises MailFailed."""
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # the last for a bad header
        raise MailFailed(type(error).__name__) from None
