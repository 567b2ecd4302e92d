// The nodes that a view or a card changes, by name; all that the feed says is set as text.

/** The nodes under `root` that have a `data-part`, by that name. */
export function partsOf(root) {
  const parts = {};
  for (const node of root.querySelectorAll("[data-part]")) parts[node.dataset.part] = node;
  return parts;
}

/** A new element with a class and a text. */
export function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** The data of an SVG path; null hides it. */
export function setPath(node, path) {
  node.toggleAttribute("hidden", path === null);
  if (path !== null) setAttribute(node, "d", path);
}

/** The centre of an SVG circle as [x, y] or [x]; null hides it. */
export function setCentre(node, centre) {
  node.toggleAttribute("hidden", centre === null);
  if (centre === null) return;
  setAttribute(node, "cx", centre[0]);
  if (centre.length > 1) setAttribute(node, "cy", centre[1]);
}

/** Table rows of `[text, class]` cells; the first cell of each is its header. */
export function rowsOf(rows) {
  return rows.map((cells) => {
    const row = element("tr");
    cells.forEach(([text, className], index) => {
      const cell = row.appendChild(element(index === 0 ? "th" : "td", className, text));
      if (index === 0) cell.scope = "row";
    });
    return row;
  });
}
