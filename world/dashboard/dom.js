// Elements from descriptions: h() describes, patch() makes a node's children what is described and
// keeps those that are there already, with their focus and scroll. Text is only ever text.
const SVG = "http://www.w3.org/2000/svg";

/** An element: `props` are attributes, `on…` listeners, `value`, `checked` and `open` properties, and
 * `key`, by which a child is known again among its siblings. */
export function h(tag, props, ...kids) {
  return { tag, props: props ?? {}, key: props?.key, kids: kids.flat(Infinity).filter((k) => k !== null && k !== undefined && k !== false && k !== true && k !== "") };
}

function setProp(node, name, value) {
  if (name.startsWith("on")) node[name] = value ?? null;
  else if (name === "value" || name === "checked" || name === "indeterminate") {
    if (node[name] !== value && (node !== document.activeElement || node.localName !== "input")) node[name] = value;
  } else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

function setProps(node, props) {
  const old = node.terraneProps ?? {};
  for (const name of Object.keys(old)) if (!(name in props) && name !== "key") setProp(node, name, null);
  for (const [name, value] of Object.entries(props)) {
    // What somebody types is theirs: a field's value is set only when the description changes.
    if (name === "key" || ((name === "value" || name === "checked") && old[name] === value)) continue;
    setProp(node, name, value);
  }
  node.terraneProps = props;
}

function make(kid, ns) {
  if (typeof kid !== "object") return document.createTextNode(String(kid));
  const space = kid.tag === "svg" ? SVG : ns;
  const node = space ? document.createElementNS(space, kid.tag) : document.createElement(kid.tag);
  node.terraneKey = kid.key;
  patch(node, kid.kids);
  setProps(node, kid.props); // behind the children: a select's value needs its options
  return node;
}

const fits = (node, kid) =>
  typeof kid !== "object" ? node.nodeType === 3 : node.nodeType === 1 && node.localName === kid.tag && node.terraneKey === kid.key;

function update(node, kid) {
  if (typeof kid !== "object") {
    if (node.data !== String(kid)) node.data = String(kid);
    return;
  }
  patch(node, kid.kids);
  setProps(node, kid.props);
}

/** Makes the children of `parent` what `kids` describe. */
export function patch(parent, kids) {
  const ns = parent.namespaceURI === SVG ? SVG : null;
  const keyed = new Map();
  for (const node of parent.childNodes) if (node.terraneKey !== undefined) keyed.set(node.terraneKey, node);
  let at = parent.firstChild;
  for (const kid of kids) {
    const node = kid.key === undefined ? at : keyed.get(kid.key);
    if (!node || !fits(node, kid)) {
      parent.insertBefore(make(kid, ns), at);
      continue;
    }
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    update(node, kid);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** The same, and who had the focus keeps it, though it was moved. */
export function patchRoot(root, kids) {
  const focused = document.activeElement;
  patch(root, kids);
  if (focused && focused !== document.activeElement && root.contains(focused)) focused.focus({ preventScroll: true });
}
