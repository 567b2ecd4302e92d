"""The key of this tab."""

from serve_app.access.keys import new_key
from tests.serve_app.dashboard.page_modules import Modules, needs_node

FAKE_SERVICE = """
const KEY = "htf" + "a".repeat(12) + "_" + "B".repeat(43);
const asked = [];
let answer = {status: 200, body: {ticket: "T1"}};
const ask = async (path, options) => {
  asked.push([path, options.method, options.headers.authorization ?? null, options.credentials]);
  if (answer === null) throw new TypeError("no network");
  const {status, body} = answer;
  return {status, ok: status < 300, json: async () => body};
};
const kept = new Map();
const storage = {getItem: (name) => kept.get(name) ?? null, setItem: (...pair) => kept.set(...pair),
                 removeItem: (name) => kept.delete(name)};
const line = new session.Session({storage, ask});
"""


@needs_node
def test_a_key_goes_in_a_header_and_a_socket_gets_a_ticket(modules: Modules) -> None:
    told = modules.run(
        FAKE_SERVICE
        + """
        const before = line.protocols();
        await line.fetchJson("models");
        line.keep(KEY);
        const offered = await line.protocols();
        const again = new session.Session({storage, ask}).key === KEY;
        line.forget();
        return {before, offered, again, asked, kept: [...kept], after: line.protocols()};
        """
    )
    key = "htf" + "a" * 12 + "_" + "B" * 43
    assert told["before"] == told["after"] == told["kept"] == []
    assert told["offered"] == ["halftime.v1", "ticket.T1"]
    assert told["again"]
    assert told["asked"] == [
        ["models", "GET", None, "omit"],
        ["tickets", "POST", f"Bearer {key}", "omit"],
    ]


@needs_node
def test_a_refused_key_is_told_apart_from_a_service_that_is_away(modules: Modules) -> None:
    problem = {"title": "An API key is needed", "detail": "the API key is unknown"}
    told = modules.run(
        FAKE_SERVICE
        + """
        const said = [];
        for (const next of [{status: 401, body: given}, {status: 403, body: given},
                            {status: 429, body: given}, {status: 503, body: given}, null]) {
          answer = next;
          await line.fetchJson("models").catch((error) =>
              said.push([error instanceof session.Refused, error.message]));
        }
        return said;
        """,
        problem,
    )
    refused = [True, "An API key is needed: the API key is unknown"]
    assert told[:2] == [refused, refused]
    assert [is_refused for is_refused, _ in told[2:]] == [False] * 3


@needs_node
def test_a_browser_that_keeps_nothing_keeps_the_key_for_the_page(modules: Modules) -> None:
    assert modules.run(
        FAKE_SERVICE
        + """
        const closed = new session.Session({storage: null, ask});
        const before = closed.key;
        closed.keep(KEY);
        const during = closed.key === KEY;
        closed.forget();
        return [before, during, closed.key];
        """
    ) == [None, True, None]


@needs_node
def test_the_page_knows_the_form_of_a_key(modules: Modules) -> None:
    key = new_key("page", ["read"], now=0.0).text
    texts = [key, f" {key}", key[:-1], "", key.replace("htf", "abc")]
    told = modules.run("return given.map(session.looksLikeKey);", texts)
    assert told == [True, False, False, False, False]
