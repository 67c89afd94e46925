"""A person who is to become a user."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.errors import WrongValue


@dataclass(frozen=True, slots=True)
class Person:
    """A user to be, told apart by email."""

    email: str
    first_name: str = ''
    last_name: str = ''
    institution: str = ''

    def __post_init__(self) -> None:
        name, at, domain = self.email.strip().rpartition('@')
        if not name or not domain or any(char.isspace() for char in name + domain):
            raise WrongValue(f'{self.email!r} is no email address: write it like ada@example.org')
        object.__setattr__(self, 'email', f'{name}{at}{domain.lower()}')
