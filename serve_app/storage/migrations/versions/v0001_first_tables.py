"""The tables before there were migrations; a store that has them is left as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, or the columns that a store of then may lack."""
    inspector = sa.inspect(op.get_bind())
    if inspector.has_table("games"):
        present = {column["name"] for column in inspector.get_columns("games")}
        for name in {"day", "ended"} - present:
            op.add_column("games", sa.Column(name, sa.Text))
    for name, create in (
        ("games", _create_games),
        ("journal", _create_journal),
        ("predictions", _create_predictions),
        ("learned_games", _create_learned_games),
    ):
        if not inspector.has_table(name):
            create()


def _create_games() -> None:
    op.create_table(
        "games",
        sa.Column("game_id", sa.Text, primary_key=True),
        sa.Column("registration", sa.Text, nullable=False),
        sa.Column("registered_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("day", sa.Text),
        sa.Column("ended", sa.Text),
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", Number, primary_key=True, autoincrement=True),
        sa.Column("game_id", sa.Text, sa.ForeignKey("games.game_id"), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for kind, name in (("score", "journal_scores"), ("forecast", "journal_forecasts")):
        where = sa.text(f"type = '{kind}'")
        op.create_index(
            name, "journal", ["game_id", "seq"], sqlite_where=where, postgresql_where=where
        )


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("game_id", sa.Text, sa.ForeignKey("games.game_id"), nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("frozen", sa.JSON, nullable=False),
        sa.Column("revisions", sa.JSON, nullable=False),
        sa.Column("outcome", sa.JSON),
        sa.UniqueConstraint("game_id", "trigger"),
        sqlite_autoincrement=True,
    )


def _create_learned_games() -> None:
    op.create_table(
        "learned_games",
        sa.Column("version", Number, primary_key=True, autoincrement=True),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.UniqueConstraint("bundle", "game_id"),
        sqlite_autoincrement=True,
    )
