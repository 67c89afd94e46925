"""What a profile says of the message broker that AiiDA uses with it. Ricordi itself speaks with none."""

from __future__ import annotations

from typing import Any

RABBITMQ = 'core.rabbitmq'

_RABBITMQ = {
    'broker_protocol': 'amqp',
    'broker_username': 'guest',
    'broker_password': 'guest',
    'broker_host': '127.0.0.1',
    'broker_port': 5672,
    'broker_virtual_host': '',
}
"""Where RabbitMQ is unless somebody has configured it otherwise."""


def broker_config(name: str | None) -> tuple[str | None, dict[str, Any] | None]:
    """Backend and config of `process_control`, as AiiDA writes them for a broker on this machine.

    Whether it runs is AiiDA's to find out.

    :param name: entry point name of the broker; None: there is to be none.
    """
    if name is None:
        return None, None
    return name, dict(_RABBITMQ) if name == RABBITMQ else {}
