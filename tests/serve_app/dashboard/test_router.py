"""Which view an address names."""

import pytest

from tests.serve_app.dashboard.page_modules import Modules, needs_node


@needs_node
@pytest.mark.parametrize(
    ("address", "view", "game_id"),
    [
        ("", "tonight", None),
        ("#/", "tonight", None),
        ("#/accuracy", "accuracy", None),
        ("#/system", "system", None),
        ("#/game/0022300500", "game", "0022300500"),
        ("#/game/a%2Fb%20%23c", "game", "a/b #c"),
        ("#/game/100%", "game", "100%"),
        ("#/game/", "tonight", None),
        ("#/game", "tonight", None),
        ("#/nowhere", "tonight", None),
        ("#/constructor", "tonight", None),
    ],
)
def test_an_address_names_a_view(
    modules: Modules, address: str, view: str, game_id: str | None
) -> None:
    told = modules.run("return router.routeOf(given);", address)
    assert told == {"view": view, "gameId": game_id}


@needs_node
def test_each_view_has_an_address_of_its_own(modules: Modules) -> None:
    there_and_back = modules.run(
        """
        return router.VIEWS.map((view) => {
          const id = view === "game" ? "<b>/?#%" : null;
          return [view, id, router.hrefOf(view, id), router.routeOf(router.hrefOf(view, id))];
        });
        """
    )
    assert len({href for _, _, href, _ in there_and_back}) == 4
    for view, game_id, href, route in there_and_back:
        assert route == {"view": view, "gameId": game_id}
        assert "<" not in href


@needs_node
def test_the_router_follows_the_address_and_leaves_places_inside_the_page(
    modules: Modules,
) -> None:
    told = modules.run(
        """
        const heard = [];
        let follow;
        globalThis.addEventListener = (type, listener) => { follow = listener; };
        const place = {hash: "#main"};
        const here = new router.Router({place,
            onRoute: ({view, gameId}, moved) => heard.push([view, gameId, moved])});
        here.start();
        for (const hash of ["#/game/g", "#main", "#/game/g", "#/game/h", "#/"]) {
          place.hash = hash;
          follow();
        }
        return heard;
        """
    )
    assert told == [
        ["tonight", None, False],
        ["game", "g", True],
        ["game", "h", True],
        ["tonight", None, True],
    ]
