"""What is served: the page, its assets, and that they fit each other and the contract."""

import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import httpx
import pytest
from fastapi import FastAPI

from serve_app import dashboard
from serve_app.api.page_routes import add_page_routes
from serve_app.schemas import GameState, LiveMessage, Revision, StrengthSource
from tests.serve_app.dashboard.page_modules import SCRIPTS, keys_of, script

FOLDER = Path(dashboard.__file__).parent
VOID = {"circle", "input", "line", "link", "meta", "path", "rect"}
MOST_BYTES = 150_000
# Its last line, which makes a module of it, is ours; the rest is as it was published.
UPLOT_SHA256 = "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"


class Page(HTMLParser):
    """Every tag of the page with its attributes, its places by view, its scripts' text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self.parts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(dashboard.page().content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        around = self._open[-1][1] if self._open else ""
        place = attributes.get("data-view") or (attributes["id"] if tag == "template" else around)
        if "data-part" in attributes:
            self.parts.setdefault(place, []).append(attributes["data-part"])
        if tag not in VOID:
            self._open.append((tag, place))

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in {"script", "style"} and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def values(self, *attributes: str) -> list[str]:
        return [tag[name] for _, tag in self.tags for name in attributes if name in tag]


# --- what is served -------------------------------------------------------------------------


def test_every_file_of_the_page_is_an_asset_with_its_media_type() -> None:
    kinds = {".css", ".js"}
    on_disk = {path.name for path in FOLDER.iterdir() if path.suffix in kinds}
    vendored = {path.name for path in (FOLDER / "vendor").iterdir() if path.suffix in kinds}
    assert vendored == set(dashboard.VENDORED)
    assert set(dashboard.ASSETS) == on_disk | vendored
    for name in dashboard.ASSETS:
        asset = dashboard.asset(name)
        path = FOLDER / ("vendor" if name in vendored else "") / name
        assert asset.content == path.read_bytes() == gzip.decompress(asset.gzipped)
        assert asset.media_type.startswith(
            "text/css" if name.endswith("css") else "text/javascript"
        )


def test_all_of_it_together_is_light() -> None:
    sent = [dashboard.page(), *(dashboard.asset(name) for name in dashboard.ASSETS)]
    assert sum(len(asset.gzipped) for asset in sent) <= MOST_BYTES


def test_what_is_not_ours_is_as_it_was_published() -> None:
    published, ours, rest = dashboard.asset("uplot.js").content.partition(
        b"export default uPlot;\n"
    )
    assert (ours, rest) == (b"export default uPlot;\n", b"")
    assert hashlib.sha256(published).hexdigest() == UPLOT_SHA256
    assert (FOLDER / "vendor" / "LICENSE-uplot").read_text().startswith("The MIT License (MIT)")


@pytest.mark.parametrize("name", ["", "index.html", "__init__.py", "../schemas.py", "./night.js"])
def test_nothing_else_is_an_asset(name: str) -> None:
    with pytest.raises(KeyError):
        dashboard.asset(name)


async def test_a_browser_is_sent_what_it_takes_and_nothing_twice() -> None:
    api = FastAPI()
    add_page_routes(api)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as http:
        for path, asset in (
            ("/", dashboard.page()),
            ("/assets/night.js", dashboard.asset("night.js")),
        ):
            plain = await http.get(path, headers={"accept-encoding": "br, gzip;q=0"})
            small = await http.get(path, headers={"accept-encoding": "br, gzip;q=0.5"})
            assert plain.content == small.content == asset.content
            assert "content-encoding" not in plain.headers
            assert small.headers["content-encoding"] == "gzip"
            assert int(small.headers["content-length"]) == len(asset.gzipped)
            assert small.headers["vary"] == "Accept-Encoding"
            tag = {"if-none-match": f'"other", {small.headers["etag"]}'}
            again = await http.get(path, headers=tag)
            assert (again.status_code, again.content) == (304, b"")
            assert (await http.get(path, headers={"if-none-match": '"other"'})).status_code == 200


def test_page_and_scripts_load_known_assets_only_and_all_of_them() -> None:
    links = Page().values("src", "href")
    loaded = {link.removeprefix("assets/") for link in links if link.startswith("assets/")}
    others = {link for link in links if not link.startswith(("assets/", "data:image/svg+xml,"))}
    views = {"#/", "#/accuracy", "#/system"}
    assert others == {"#main", *views, "docs", "games", "predictions", "accuracy"}
    for name in SCRIPTS:
        loaded |= set(re.findall(r'from "\./([^"]+)";$', script(name), re.M))
        loaded |= set(re.findall(r'await import\("\./([^"]+)"\)', script(name)))
        loaded |= set(re.findall(r'styleSheet\("assets/([^"]+)"\)', script(name)))
        assert script(name).count("import(") == script(name).count('import("./')
    assert loaded == set(dashboard.ASSETS)


def test_what_draws_charts_does_not_come_with_tonight() -> None:
    # The first picture waits for the page and its style sheet alone: nothing is preloaded.
    assert Page().values("src", "href").count("assets/dashboard.js") == 1
    assert not {link for link in Page().values("href") if link.endswith(".js")}
    waiting = ["dashboard.js"]
    needed = set()
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += set(re.findall(r'from "\./([^"]+)";$', script(name), re.M)) - needed
    assert {"card.js", "link.js", "tonight_view.js"} < needed
    assert not needed & {"uplot.js", "plot.js", "game_view.js", "accuracy_view.js"}


def test_nothing_comes_from_another_host() -> None:
    texts = [dashboard.page().content.decode(), *(script(name) for name in dashboard.ASSETS)]
    for text in texts:
        code = re.sub(r"^/\*!.*?\*/", "", text, flags=re.S)  # a licence names where it is from
        addresses = re.findall(r"(?:\w+:)?//[\w.-]+\.[\w./-]+", code)
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}
        assert "@import" not in text


def test_the_page_fits_its_content_security_policy() -> None:
    rules = dict(
        rule.strip().split(" ", 1) for rule in dashboard.CONTENT_SECURITY_POLICY.split(";")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    page = Page()
    assert page.inline == []
    assert not [tag for tag, _ in page.tags if tag in {"style", "iframe", "object", "base"}]
    assert rules["form-action"] == "'none'"  # the form of the key is the script's alone
    assert rules["require-trusted-types-for"] == "'script'"
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


@pytest.mark.parametrize("name", [*SCRIPTS, "uplot.js"])
def test_feed_data_never_becomes_markup_or_code(name: str) -> None:
    risky = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
    )
    assert re.findall(risky, script(name)) == []


# --- the page and its modules agree with each other and with the contract ---------------------


def test_message_types_and_words_are_those_of_the_contract() -> None:
    night, words = script("night.js"), script("words.js")
    types = set(get_args(LiveMessage.model_fields["type"].annotation))
    assert keys_of(night, "HANDLERS") == types | {"system"}
    assert keys_of(night, "STATES") == keys_of(words, "CHIPS") == set(get_args(GameState))
    assert keys_of(words, "STRENGTHS") == set(get_args(StrengthSource))
    assert keys_of(words, "REASONS") == set(get_args(Revision.model_fields["reason"].annotation))


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("card", ["card.js"]),
        ("tonight", ["tonight_view.js", "record_words.js", "stage.js"]),
        ("game", ["game_view.js", "dejavu_view.js", "stage.js"]),
        ("accuracy", ["accuracy_view.js", "stage.js"]),
        ("system", ["system_view.js", "system_words.js", "stage.js"]),
    ],
)
def test_scripts_find_what_they_look_for_in_the_page(place: str, names: list[str]) -> None:
    text = "\n".join(script(name) for name in names)
    used = set(re.findall(r"(?<!/)parts\.([a-z]\w*)", text))
    used |= set(re.findall(r'parts\["([^"]+)"\]', text))
    known = Page().parts[place]
    assert len(known) == len(set(known))
    assert used <= set(known)
    # Whatever has a name is named by some script, in one of the ways that there are.
    assert {name for name in known if not re.search(rf'(["\W]){name}\b', text)} == set()


def test_the_page_has_what_its_scripts_ask_for_by_id() -> None:
    page = Page()
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for name in SCRIPTS:
        assert set(re.findall(r'byId\("([^"]+)"\)', script(name))) <= set(ids)
    assert set(page.values("aria-labelledby")) <= set(ids)
    phases = re.search(r"export const PHASES = (\[.*\]);", script("night.js"))
    views = re.search(r"export const VIEWS = (\[.*\]);", script("router.js"))
    assert phases
    assert views
    assert json.loads(phases.group(1)) == page.values("data-phase")
    assert json.loads(views.group(1)) == page.values("data-view") == page.values("data-nav")


def test_colours_of_the_figures_are_those_of_the_style_sheet() -> None:
    known = set(re.findall(r"--([\w-]+):", script("dashboard.css")))
    for name in ("figure.js", "game_figures.js", "record_figures.js"):
        named = re.findall(r'colour: (?:[\w =]+\? )?"([\w-]+)"', script(name))
        assert named, name
        assert set(named) <= known
    shares = re.findall(r"share: (0\.\d+)", script("fan.js"))
    assert {f"fan-{float(share) * 100:.0f}" for share in shares} <= known


def test_text_has_aa_contrast_in_light_and_dark() -> None:
    css = script("dashboard.css")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    )
    for theme in (light, dark):
        for ground in ("page", "card"):
            for text in ("ink", "soft", "home", "good", "bad", "warn"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme[text])


def contrast(first: str, second: str) -> float:
    """The WCAG 2 contrast ratio of two `#rrggbb` colours."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
