"""The form that asks for a key."""

from tests.serve_app.dashboard.page_modules import Modules, needs_node


@needs_node
def test_the_field_says_whether_its_key_was_refused(modules: Modules) -> None:
    told = modules.run(
        """
        const nodes = {};
        const made = () => ({attributes: {}, addEventListener() {}, focus() {},
                             setAttribute(name, value) { this.attributes[name] = value; }});
        globalThis.document = {getElementById: (id) => (nodes[id] ??= made())};
        const form = new key_lock.KeyLock({session: {key: null}, onForget() {}, onOpen() {}});
        return ["", "The key is unknown."].map((reason) => {
          form.ask(reason);
          return [nodes.key.attributes["aria-invalid"], nodes["lock-reason"].textContent];
        });
        """
    )
    assert told == [["false", ""], ["true", "The key is unknown."]]
