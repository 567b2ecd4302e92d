"""New forecasts as they are spoken."""

from tests.serve_app.dashboard.page_modules import Modules, needs_node

ANNOUNCER = """
const timers = [];
globalThis.setTimeout = (action, pause) => {
  const timer = {action, pause};
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
};
const node = {textContent: ""};
const voice = new announcer.Announcer(node);
const pass = () => timers.shift().action();
"""


@needs_node
def test_forecasts_that_come_together_are_said_in_one_sentence(modules: Modules) -> None:
    said = modules.run(
        ANNOUNCER
        + """
        const said = [];
        for (const texts of [["A."], ["B.", "C."], []]) {
          texts.forEach((text) => voice.say(text));
          pass();
          said.push(node.textContent);
        }
        return [said, timers.length];
        """
    )
    assert said == [["A.", "2 new forecasts. The latest: C.", "2 new forecasts. The latest: C."], 0]


@needs_node
def test_what_was_not_said_yet_is_not_left_to_who_comes_after(modules: Modules) -> None:
    told = modules.run(
        ANNOUNCER
        + """
        voice.say("A.");
        pass();
        voice.say("B.");
        voice.forget();
        const forgotten = [node.textContent, timers.length];
        voice.say("C.");
        pass();
        return [forgotten, node.textContent];
        """
    )
    assert told == [["", 0], "C."]
