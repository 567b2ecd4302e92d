"""What can go wrong between a webhook and its receiver.

WebhookError
├── RefusedAddressError  the service does not call this address: the settings say which
├── UnknownHostError     the receiver's name does not resolve
└── NoAnswerError        the receiver did not answer, or not in HTTP, or not in time

`signature.SignatureError` is the receiver's own.
"""


class WebhookError(Exception):
    """An event could not be handed over; the message is for the webhook's owner."""


class RefusedAddressError(WebhookError):
    """The service does not call this address."""


class UnknownHostError(WebhookError):
    """The name does not resolve to any address, or not now."""


class NoAnswerError(WebhookError):
    """There is no answer to tell a status from."""
