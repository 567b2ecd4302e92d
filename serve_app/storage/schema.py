"""The tables of the store, as they are now: the same on SQLite and on PostgreSQL.

How a store of an earlier version gets them is told in `migrations`.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

# SQLite numbers rows by itself only where the column is called INTEGER.
Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Float: sa.Double[float] = sa.Double()  # seconds since the epoch need all of a double's digits

# One row a registered game. `version` counts the commits that changed the game: a shard writes only
# where it knows the last one. `state` to `last_received` sum up the journal, so that a shard which
# comes back need not play it move by move; NULL in games of earlier versions. `day` is the game day
# (YYYY-MM-DD), `ended` what an ended game teaches, `archive` the file its journal went to.
games = sa.Table(
    "games",
    METADATA,
    sa.Column("game_id", sa.Text, primary_key=True),
    sa.Column("registration", sa.Text, nullable=False),
    sa.Column("registered_at", Float, nullable=False),
    sa.Column("ended_at", Float),
    sa.Column("day", sa.Text),
    sa.Column("ended", sa.Text),
    sa.Column("version", Number, nullable=False, server_default="0"),
    sa.Column("state", sa.Text),
    sa.Column("updates", sa.Integer),
    sa.Column("corrections", sa.Integer),
    sa.Column("last_received", Float),
    sa.Column("archive", sa.Text),
    sa.Index("games_by_day", "day"),
    sa.Index("games_by_registration", "registered_at"),
)

# Everything that happened, in the order in which it was committed; the outbox of the live feed.
# `payload` is JSON text. `identity` tells one score update of a game from another.
journal = sa.Table(
    "journal",
    METADATA,
    sa.Column("seq", Number, primary_key=True, autoincrement=True),
    sa.Column("game_id", sa.Text, sa.ForeignKey("games.game_id"), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("time", Float, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("identity", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("journal_by_game", journal.c.game_id, journal.c.seq)
# A game that is rebuilt reads its updates without looking at the forecasts between them.
_is_score = journal.c.type == "score"
sa.Index(
    "journal_scores",
    journal.c.game_id,
    journal.c.seq,
    sqlite_where=_is_score,
    postgresql_where=_is_score,
)
_is_identified = journal.c.identity.is_not(None)
sa.Index(
    "journal_identities",
    journal.c.game_id,
    journal.c.identity,
    unique=True,
    sqlite_where=_is_identified,
    postgresql_where=_is_identified,
)

# One row a frozen prediction. Stricter than once per game, trigger and model version: another model
# that comes into service in the middle of a night must not predict a game again.
predictions = sa.Table(
    "predictions",
    METADATA,
    sa.Column("id", Number, primary_key=True, autoincrement=True),
    sa.Column("game_id", sa.Text, sa.ForeignKey("games.game_id"), nullable=False),
    sa.Column("trigger", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("frozen", sa.JSON, nullable=False),
    sa.Column("revisions", sa.JSON, nullable=False),
    sa.Column("outcome", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("game_id", "trigger"),
    sqlite_autoincrement=True,
)

# What each finished game taught each model version.
learned_games = sa.Table(
    "learned_games",
    METADATA,
    sa.Column("version", Number, primary_key=True, autoincrement=True),
    sa.Column("bundle", sa.Text, nullable=False),
    sa.Column("game_id", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.UniqueConstraint("bundle", "game_id"),
    sqlite_autoincrement=True,
)

# Who may call: only the hash of a key's secret is kept. Times are seconds since the epoch.
api_keys = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created_at", Float, nullable=False),
    sa.Column("expires_at", Float),
    sa.Column("revoked_at", Float),
)

# Tickets by which a browser opens its WebSocket, each good once.
tickets = sa.Table(
    "tickets",
    METADATA,
    sa.Column("ticket_hash", sa.Text, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("expires_at", Float, nullable=False),
)

# Receivers of events. `events` are change types, `rules` is JSON text. A secret signs, so it has to
# be kept as it is; until `previous_until` the one before signs too. A webhook hears what came after
# the row `after_seq` of the journal. `disabled` says why it is not sent to, NULL where it is.
webhooks = sa.Table(
    "webhooks",
    METADATA,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("rules", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("previous_secret", sa.Text),
    sa.Column("previous_until", Float),
    sa.Column("created_at", Float, nullable=False),
    sa.Column("after_seq", Number, nullable=False),
    sa.Column("disabled", sa.Text),
)

# One row an event and webhook that hears of it, with all that is sent: the journal may be archived
# before the last attempt. `next_attempt_at` is of use while the state is pending. `restarts` counts
# how often it was sent again by hand, which begins its `attempts` anew.
webhook_deliveries = sa.Table(
    "webhook_deliveries",
    METADATA,
    sa.Column("delivery_id", sa.Text, primary_key=True),
    sa.Column("webhook_id", sa.Text, sa.ForeignKey("webhooks.webhook_id"), nullable=False),
    sa.Column("seq", Number),
    sa.Column("game_id", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", Float, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", Float, nullable=False),
    sa.Column("last_attempt_at", Float),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_error", sa.Text),
)
sa.Index(
    "webhook_deliveries_by_webhook",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.created_at,
)
for _state, _ordered in (
    ("pending", "next_attempt_at"),
    ("delivered", "created_at"),
    ("dead", "created_at"),
):
    _is_state = webhook_deliveries.c.state == _state
    sa.Index(
        f"webhook_deliveries_{_state}",
        webhook_deliveries.c.webhook_id,
        webhook_deliveries.c[_ordered],
        sqlite_where=_is_state,
        postgresql_where=_is_state,
    )

# How far a reader of the journal has come.
cursors = sa.Table(
    "cursors",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seq", Number, nullable=False),
)
