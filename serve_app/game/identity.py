"""What makes one score update of a game another than the next, and a repeat the same.

Where the scraper numbers its updates it is `(source, sequence)`. Without a number it is the
content: quarter, clock, score, source and time stamp. Without a stamp either, the same score at the
same clock is a repeat while it stands there, and news again once another score has taken its place;
so `changes`, how often the score at that clock has been replaced before this one, belongs to it.
"""

import hashlib
import json

from serve_app.game.observation import Observation

DIGEST_BYTES = 12


def update_identity(seen: Observation, changes: int) -> str:
    """The identity of an update within its game: `source#sequence`, or `=` and a content hash."""
    if seen.sequence is not None:
        return f"{seen.source or ''}#{seen.sequence}"
    content = json.dumps(
        [
            seen.clock.quarter,
            seen.clock.seconds_remaining,
            seen.score_home,
            seen.score_away,
            seen.source,
            seen.timestamp,
            changes if seen.timestamp is None else 0,
        ]
    )
    return "=" + hashlib.blake2b(content.encode(), digest_size=DIGEST_BYTES).hexdigest()
