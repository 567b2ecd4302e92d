"""Versions and sums of games, identities of updates, archives, API keys and tickets."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add what is new; updates that carried a sequence get their identity."""
    _add_to_games()
    op.add_column("journal", sa.Column("identity", sa.Text))
    _identify_updates()
    op.drop_index("journal_forecasts", "journal")
    op.create_index("journal_by_game", "journal", ["game_id", "seq"])
    where = sa.text("identity IS NOT NULL")
    op.create_index(
        "journal_identities",
        "journal",
        ["game_id", "identity"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    _create_access_tables()


def _add_to_games() -> None:
    for column in (
        sa.Column("version", Number, nullable=False, server_default="0"),
        sa.Column("state", sa.Text),
        sa.Column("updates", sa.Integer),
        sa.Column("corrections", sa.Integer),
        sa.Column("last_received", sa.Double),
        sa.Column("archive", sa.Text),
    ):
        op.add_column("games", column)
    op.create_index("games_by_day", "games", ["day"])
    op.create_index("games_by_registration", "games", ["registered_at"])


def _identify_updates() -> None:
    """The form of `serve_app.game.identity`; of two updates with one sequence the first has it."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT seq, game_id, payload FROM journal WHERE type = 'score' ORDER BY seq")
    )
    identities: dict[tuple[str, str], int] = {}
    for seq, game_id, payload in rows:
        sequence = json.loads(payload).get("sequence")
        if sequence is not None:
            identities.setdefault((game_id, f"#{sequence}"), seq)
    if identities:
        connection.execute(
            sa.text("UPDATE journal SET identity = :identity WHERE seq = :seq"),
            [{"identity": identity, "seq": seq} for (_, identity), seq in identities.items()],
        )


def _create_access_tables() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
    )
    op.create_table(
        "tickets",
        sa.Column("ticket_hash", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
