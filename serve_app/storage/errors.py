"""What can go wrong with the store.

StoreError
├── StoreUnavailableError  it does not answer: disk full or read-only, locked, server away
│   └── ArchiveError       the archived journal of one game cannot be read
├── StaleWriteError        somebody else wrote the same game first: read it again and repeat
├── StoreVersionError      it was written by a later version of the service
├── StoreAddressError      a store_url is no address of PostgreSQL, or has a password in it
└── BackupError            a backup cannot be written, read or restored
"""


class StoreError(Exception):
    """The store did not do what it was asked to; nothing of the transaction was kept."""


class StoreUnavailableError(StoreError):
    """The store does not answer now; the same may be tried again."""


class ArchiveError(StoreUnavailableError):
    """The archived journal of one game cannot be read; all other games can."""


class StaleWriteError(StoreError):
    """What was to be written rests on a state of a game that is no longer the newest."""


class StoreVersionError(StoreError):
    """The store was written by a later version of the service."""


class StoreAddressError(StoreError, ValueError):
    """A store_url that is not taken; the message does not show it, for it may hold a password."""


class BackupError(StoreError):
    """A backup cannot be made, or cannot be trusted."""
