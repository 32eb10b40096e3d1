"""The receivers of notifications: webhooks, and the services that Apprise knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from xnai_validate.cli.notifying.deliveries import Delivery, NotDelivered
from xnai_validate.cli.notifying.http_message import origin_of, post
from xnai_validate.cli.notifying.message import ChangeMessage, text_of
from xnai_validate.cli.option_values import http_url
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import to_json

Receiver = Callable[[ChangeMessage], Delivery]
"""Makes the delivery of a message."""


def receiver_of(url: str) -> Receiver:
    """Return the receiver of a url: http and https are webhooks, other schemes are those of Apprise.

    Raises ConfigError for a url that neither takes, and if the extra `notify` is missing.
    """
    try:
        scheme = urlsplit(url).scheme
        if scheme in ("http", "https"):
            return partial(_webhook_delivery, http_url(url))
    except ValueError as error:
        raise ConfigError(f"--notify: {error}") from None
    return _apprise(url, scheme)


def _webhook_delivery(url: str, message: ChangeMessage) -> Delivery:
    """Return the delivery of a message to a webhook."""
    return Delivery(f"--notify {origin_of(url)}", partial(post, url, to_json(message), "application/json"))


def _apprise(url: str, scheme: str) -> Receiver:
    """Return the receiver of a url of Apprise, such as `slack://token/#channel` or `mailto://user:password@host`."""
    try:
        import apprise
    except ImportError:
        raise ConfigError(
            f'--notify: "{scheme}" is not a scheme of a webhook; other services need the extra notify',
            hint="pip install 'xnai-validate[notify]', or name a webhook: https://...",
        ) from None
    services = apprise.Apprise()
    if not services.add(url):
        raise ConfigError(
            f'--notify: Apprise knows no service of this url ("{scheme}")',
            hint="its list of services: https://github.com/caronc/apprise/wiki",
        )

    def send(message: ChangeMessage) -> None:
        """Send a notification. Raises NotDelivered."""
        kind = apprise.NotifyType.SUCCESS if message.exit_code == 0 else apprise.NotifyType.FAILURE
        sent = services.notify(
            title=message.text, body=text_of(message), notify_type=kind, body_format=apprise.NotifyFormat.TEXT
        )
        if not sent:
            raise NotDelivered("the service did not accept the message")

    return lambda message: Delivery(f"--notify {scheme}://", partial(send, message))
