"""A person who is to become a user."""

from __future__ import annotations

from dataclasses import dataclass

from ricordi.model.people import checked_email


@dataclass(frozen=True, slots=True)
class Person:
    """A user to be, told apart by email."""

    email: str
    first_name: str = ''
    last_name: str = ''
    institution: str = ''

    def __post_init__(self) -> None:
        object.__setattr__(self, 'email', checked_email(self.email))
