"""What the email address of a user may be."""

from __future__ import annotations

from ricordi.errors import WrongType, WrongValue


def normalized_email(email: str) -> str:
    """An address as it is kept: its domain, which means the same in either case, in lower case; no blanks around it.

    :raises ricordi.errors.WrongType: it is no text.
    """
    if not isinstance(email, str):
        raise WrongType(f'an email is a string, got {email!r}')
    name, at, domain = email.strip().rpartition('@')
    return f'{name}{at}{domain.lower()}' if at else email.strip()


def checked_email(email: str) -> str:
    """The address of a new user as it is kept; AiiDA takes any text, so that older users may have others.

    :raises ricordi.errors.WrongValue: it is no address: nobody could be told apart by it.
    """
    address = normalized_email(email)
    name, _, domain = address.rpartition('@')
    if not name or not domain or any(char.isspace() or not char.isprintable() for char in address):
        raise WrongValue(f'{email!r} is no email address: write it like ada@example.org')
    return address
