"""What can go wrong with the store.

StoreError
├── StoreUnavailableError  it does not answer: disk full or read-only, locked, server away
├── StaleWriteError        somebody else wrote the same game first: read it again and repeat
└── StoreVersionError      it was written by a later version of the service
"""


class StoreError(Exception):
    """The store did not do what it was asked to; nothing of the transaction was kept."""


class StoreUnavailableError(StoreError):
    """The store does not answer now; the same may be tried again."""


class StaleWriteError(StoreError):
    """What was to be written rests on a state of a game that is no longer the newest."""


class StoreVersionError(StoreError):
    """The store was written by a later version of the service."""
