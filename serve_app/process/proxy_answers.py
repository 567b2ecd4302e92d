"""What the proxy says by itself, where no replica answers: the service's problem `Unavailable`.

Apart from the service, for these files are written before Ray starts.
"""

import json
from pathlib import Path

# By the variable that names the file to haproxy.sh: what happened, and when to come again.
ANSWERS = {
    # Nobody is there to answer. The detail is for who looks, not to be parsed.
    "HALFTIME_UNAVAILABLE": ("the service is starting, or a part of it is", 1),
    # The one that was asked has ended over it: another one is there.
    "HALFTIME_INTERRUPTED": ("the part of the service that was asked has ended", 0),
}


def write_proxy_answers(folder: Path) -> dict[str, str]:
    """Write an HTTP answer each into `folder`; the path by its variable."""
    paths = {}
    for variable, (what, retry_after) in ANSWERS.items():
        path = folder / f"{variable.lower()}.http"
        path.write_bytes(_answer(what, retry_after).encode())
        paths[variable] = str(path)
    return paths


def _answer(what: str, retry_after: int) -> str:
    problem = json.dumps(
        {
            "type": "urn:problem:unavailable",
            "title": "The service cannot answer now",
            "status": 503,
            "detail": f"{what}; send the request again",
        }
    )
    lines = (
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(problem)}",
        f"Retry-After: {retry_after}",
        "Cache-Control: no-store",
        # The next try must not meet the same proxy process, which may be one that is leaving.
        "Connection: close",
        "",
        problem,
    )
    return "\r\n".join(lines)
