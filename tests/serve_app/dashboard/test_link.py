"""The link to the live feed, which heals by itself."""

from tests.serve_app.dashboard.page_modules import Modules, needs_node


@needs_node
def test_a_lost_link_tries_again_with_longer_pauses_and_heals(modules: Modules) -> None:
    told = modules.run(
        """
        const sockets = [];
        const timers = [];
        globalThis.WebSocket = class extends EventTarget {
          constructor(url) { super(); this.url = url; sockets.push(this); }
          close() {}
        };
        globalThis.setTimeout = (action, pause) => timers.push({action, pause});
        globalThis.clearTimeout = () => {};
        const states = [];
        const heard = [];
        const line = new link.Link("ws://host/ws/live",
            {onMessage: ({type}) => heard.push(type), onState: (state) => states.push(state)});
        line.open();
        const pauses = [];
        for (let failure = 0; failure < 9; failure += 1) {
          sockets.at(-1).dispatchEvent(new Event("close"));
          const retry = timers.at(-1);
          pauses.push(retry.pause);
          retry.action();
        }
        const say = (socket, type, seq) => socket.dispatchEvent(
            Object.assign(new Event("message"), {data: JSON.stringify({type, seq})}));
        say(sockets.at(-1), "snapshot", 7);
        say(sockets[0], "score", 8);
        const live = line.live;
        say(sockets.at(-1), "heartbeat", 9);
        sockets.at(-1).dispatchEvent(new Event("close"));
        timers.at(-1).action();
        say(sockets.at(-1), "resumed", 9);
        line.rest();
        line.open();
        const urls = [sockets[9], sockets[10], sockets[11]].map(({url}) => String(url));
        return {pauses, heard, states, live, urls};
        """
    )
    longest = [min(500 * 2**attempt, 15_000) for attempt in range(9)]
    for pause, most in zip(told["pauses"], longest, strict=True):
        assert most / 2 <= pause <= most
    assert told["states"] == [*["lost"] * 9, "live", "lost", "live"]
    assert told["heard"] == ["snapshot", "heartbeat", "resumed"]
    assert told["live"] is True
    address = "ws://host/ws/live"
    assert told["urls"] == [address, f"{address}?since=9", address]


@needs_node
def test_every_socket_gets_a_ticket_of_its_own_and_rests_when_told(modules: Modules) -> None:
    told = modules.run(
        """
        const sockets = [];
        const timers = [];
        globalThis.WebSocket = class extends EventTarget {
          constructor(url, offered) { super(); sockets.push(offered); this.closed = false; }
          close() { this.closed = true; }
        };
        globalThis.setTimeout = (action, pause) => timers.push({action, pause});
        globalThis.clearTimeout = () => {};
        let number = 0;
        let refuse = false;
        const states = [];
        const line = new link.Link("ws://host/ws/live", {
            onMessage: () => {}, onState: (state) => states.push(state),
            protocols: async () => {
                if (refuse) throw new Error("no ticket");
                number += 1;
                return [`ticket.${number}`];
            }});
        const settle = () => new Promise((done) => setImmediate(done));
        line.open();
        line.hurry();
        await settle();
        const first = line.socket;
        first.dispatchEvent(new Event("close"));
        timers.at(-1).action();
        await settle();
        refuse = true;
        line.socket.dispatchEvent(new Event("close"));
        timers.at(-1).action();
        await settle();
        const lost = states.length;
        refuse = false;
        line.rest();
        line.hurry();
        await settle();
        const rested = sockets.length;
        line.open();
        await settle();
        return {sockets, states, lost, rested};
        """
    )
    assert told["sockets"] == [["ticket.1"], ["ticket.2"], ["ticket.3"]]
    assert (told["lost"], told["rested"]) == (3, 2)
