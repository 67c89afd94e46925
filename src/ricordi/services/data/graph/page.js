'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const svg = document.querySelector('#drawing svg');
const details = document.getElementById('details');
const found = document.getElementById('found');
const search = document.getElementById('search');
const FAR = 0.45;  // below this scale the labels of links could not be read
const LEGIBLE = 1.1;  // at this one all can
const NARROWEST = 12;

const nodes = new Map();
for (const element of svg.querySelectorAll('.node')) nodes.set(Number(element.dataset.pk), element);
const linksOf = new Map([...nodes.keys()].map((pk) => [pk, []]));
const links = [...svg.querySelectorAll('.link')].map((element) => {
  const path = element.querySelector('path'), label = element.querySelector('text');
  return {
    element, path, label, type: element.dataset.type, source: Number(element.dataset.source), target: Number(element.dataset.target),
    home: [path.getAttribute('d'), label.getAttribute('x'), label.getAttribute('y')],
  };
});
for (const link of links) {
  linksOf.get(link.source).push(link);
  if (link.source !== link.target) linksOf.get(link.target).push(link);
}
const whole = svg.viewBox.baseVal;
const first = {
  places: new Map([...nodes].map(([pk, element]) => [pk, [Number(element.dataset.x), Number(element.dataset.y)]])),
  width: whole.width, height: whole.height,
};
let home = { x: 0, y: 0, width: whole.width, height: whole.height };

function nameOf(pk) {
  const { name, fields } = data.nodes[pk];
  return [`${name} ${pk}`, fields.label, fields.state].filter(Boolean).join(', ');
}

// the view --------------------------------------------------------------------------------------------------

let view = { ...home };

function show(next) {
  view = next;
  svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
  svg.classList.toggle('far', scale() < FAR);
}

function scale() {
  return Math.min(svg.clientWidth / view.width, svg.clientHeight / view.height);
}

function zoom(factor, x = view.x + view.width / 2, y = view.y + view.height / 2) {
  if (view.width * factor < NARROWEST) return;
  show({ x: x - (x - view.x) * factor, y: y - (y - view.y) * factor, width: view.width * factor, height: view.height * factor });
}

function placeOf(event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

svg.addEventListener('wheel', (event) => {
  event.preventDefault();
  const place = placeOf(event);
  zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, place.x, place.y);
}, { passive: false });

// One finger or the mouse moves the drawing, two fingers zoom it.
const fingers = new Map();
let grip = null;
svg.addEventListener('pointerdown', (event) => {
  fingers.set(event.pointerId, event);
  grip = { x: event.clientX, y: event.clientY, view, moved: fingers.size > 1 };
});
window.addEventListener('pointermove', (event) => {
  if (!grip || !fingers.has(event.pointerId)) return;
  if (fingers.size === 2) {
    const [other] = [...fingers.values()].filter((one) => one.pointerId !== event.pointerId);
    const before = fingers.get(event.pointerId);
    const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const middle = placeOf({ clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 });
    zoom(far(before) / far(event), middle.x, middle.y);
    fingers.set(event.pointerId, event);
    return;
  }
  const across = event.clientX - grip.x, down = event.clientY - grip.y;
  if (Math.abs(across) + Math.abs(down) < 4 && !grip.moved) return;
  grip.moved = true;
  svg.classList.add('moving');
  const ratio = 1 / scale();
  show({ ...grip.view, x: grip.view.x - across * ratio, y: grip.view.y - down * ratio });
});
for (const name of ['pointerup', 'pointercancel']) {
  window.addEventListener(name, (event) => {
    fingers.delete(event.pointerId);
    if (grip && grip.moved) window.setTimeout(() => { grip = null; }, 0);
    else grip = null;
    svg.classList.remove('moving');
  });
}

// Bring a node into the middle, where it can be read.
function centre(pk) {
  const element = nodes.get(pk);
  const [, dx = 0, dy = 0] = (element.getAttribute('transform') || '').match(/translate\((\S+) (\S+)\)/) || [];
  const width = svg.clientWidth / Math.max(LEGIBLE, Math.min(scale(), 2));
  const height = width * svg.clientHeight / svg.clientWidth;
  show({ x: Number(element.dataset.x) + Number(dx) - width / 2, y: Number(element.dataset.y) + Number(dy) - height / 2, width, height });
}

// choosing a node -------------------------------------------------------------------------------------------

let marked = [];
let chosen = null;

function mark(element, name) {
  element.classList.add(name);
  marked.push([element, name]);
}

function unmark() {
  for (const [element, name] of marked) element.classList.remove(name);
  marked = [];
  svg.classList.remove('focus');
}

function choose(pk) {
  if (chosen !== null) nodes.get(chosen).tabIndex = -1;
  chosen = pk;
  unmark();
  markHits();
  svg.classList.add('focus');
  mark(nodes.get(pk), 'near');
  mark(nodes.get(pk), 'chosen');
  nodes.get(pk).tabIndex = 0;
  for (const link of links) {
    const ends = [shownAs.get(link.source), shownAs.get(link.target)];
    if (!ends.includes(pk)) continue;
    mark(link.element, 'near');
    for (const end of ends) if (end) mark(nodes.get(end), 'near');
  }
  describe(pk);
}

svg.addEventListener('click', (event) => {
  if (grip && grip.moved) return;
  const element = event.target.closest('.node');
  if (element) choose(Number(element.dataset.pk));
  else overview();
});
svg.addEventListener('dblclick', (event) => {
  const element = event.target.closest('.node');
  if (element) toggle(Number(element.dataset.pk));
});

function overview() {
  chosen = null;
  unmark();
  markHits();
  const drawn = [...nodes.keys()].filter(isShown).length;
  const parts = [text('h1', data.title), text('p', `${nodes.size.toLocaleString('en')} nodes, ${links.length.toLocaleString('en')} links`)];
  if (drawn < nodes.size) parts.push(text('p', `${drawn.toLocaleString('en')} nodes are drawn; the others are folded into their workflows, or filtered away.`));
  parts.push(text('h2', 'Mouse and fingers'), bullets(['click a node: what it is', 'double click a workflow: fold or unfold it', 'drag, wheel, two fingers: move and zoom']));
  parts.push(text('h2', 'Keys'), bullets(['/: search; Enter and Shift+Enter: next hit, and the one before', 'arrows: along the links, and to the neighbours',
    'Space: fold or unfold the workflow', '+, -, 0: nearer, farther, all', 'Escape: back to this']));
  details.replaceChildren(...parts);
}

function describe(pk) {
  const node = data.nodes[pk];
  const parts = [text('h1', node.name), table(Object.entries(node.fields))];
  if (calledBy.has(pk)) {
    const button = text('button', folded.has(pk) ? 'Unfold' : 'Fold into one box');
    button.onclick = () => toggle(pk);
    parts.push(button);
  }
  const incoming = linksOf.get(pk).filter((link) => link.target === pk);
  const outgoing = linksOf.get(pk).filter((link) => link.source === pk);
  if (incoming.length) parts.push(text('h2', 'Comes from'), list(incoming, (link) => link.source));
  if (outgoing.length) parts.push(text('h2', 'Leads to'), list(outgoing, (link) => link.target));
  for (const name of ['attributes', 'extras']) {
    if (node[name] !== undefined) parts.push(foldable(name, text('pre', JSON.stringify(node[name], null, 2))));
  }
  if (node.files) parts.push(foldable(`files (${node.file_count.toLocaleString('en')})`, bullets(node.files.concat(node.file_count > node.files.length ? ['…'] : []))));
  if (node.comments) parts.push(foldable('comments', table(node.comments.map(([who, what]) => [who, what]))));
  if (node.logs) parts.push(foldable(`log (${node.log_count.toLocaleString('en')})`, table(node.logs.map(([when, what]) => [when, what]))));
  details.replaceChildren(...parts);
  details.scrollTop = 0;
}

function foldable(name, inside) {
  const element = document.createElement('details');
  element.open = true;
  element.append(text('summary', name[0].toUpperCase() + name.slice(1)), inside);
  return element;
}

function text(tag, words) {
  const element = document.createElement(tag);
  element.textContent = words;
  return element;
}

function bullets(lines) {
  const element = document.createElement('ul');
  element.append(...lines.map((line) => text('li', line)));
  return element;
}

function table(rows) {
  const element = document.createElement('table');
  for (const [name, value] of rows) {
    const row = element.insertRow();
    row.insertCell().textContent = name;
    const cell = row.insertCell();
    if (value instanceof Node) cell.append(value);
    else cell.textContent = value;
  }
  return element;
}

function list(some, other) {
  return table(some.map((link) => {
    const pk = other(link);
    const anchor = text('a', `${data.nodes[pk].name} [${pk}]`);
    anchor.href = `#${pk}`;
    anchor.onclick = (event) => { event.preventDefault(); goTo(pk); };
    return [link.element.querySelector('title').textContent, anchor];
  }));
}

// Show a node, unfolded and near.
function goTo(pk) {
  if (!reveal(pk)) return;
  choose(pk);
  centre(pk);
}

// finding ---------------------------------------------------------------------------------------------------

const haystack = new Map(Object.entries(data.nodes).map(([pk, node]) => [Number(pk), [
  pk, node.name, ...Object.values(node.fields), JSON.stringify([node.attributes, node.extras]), ...(node.files || []),
  ...(node.comments || []).map(([, what]) => what),
].join('\n').toLowerCase()]));
let hits = [];
let place = -1;

function markHits() {
  for (const pk of hits) {
    const box = shownAs.get(pk);
    if (box) mark(nodes.get(box), 'hit');
  }
}

function find() {
  const words = search.value.trim().toLowerCase();
  hits = !words ? [] : [...haystack].filter(([, hay]) => hay.includes(words)).map(([pk]) => pk);
  hits = hits.filter((pk) => shownAs.get(pk) !== null);
  const exact = hits.indexOf(Number(words));  // a pk is what is meant before what holds its digits
  if (exact > 0) hits.unshift(...hits.splice(exact, 1));
  place = -1;
  unmark();
  markHits();
  found.textContent = !words ? '' : hits.length ? `${hits.length.toLocaleString('en')} found` : 'none found';
  if (hits.length && shownAs.get(hits[0])) centre(shownAs.get(hits[0]));
}

function goToHit(step) {
  if (!hits.length) return;
  place = place < 0 ? (step > 0 ? 0 : hits.length - 1) : (place + step + hits.length) % hits.length;
  found.textContent = `${(place + 1).toLocaleString('en')} of ${hits.length.toLocaleString('en')}`;
  goTo(hits[place]);
}

search.addEventListener('input', find);
search.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  goToHit(event.shiftKey ? -1 : 1);
});

// keys ------------------------------------------------------------------------------------------------------

function neighbour(pk, key) {
  const shown = [...nodes.keys()].filter(isShown);
  const [x, y] = middleOf(pk);
  const linked = new Set();
  for (const link of links) {
    const ends = [shownAs.get(link.source), shownAs.get(link.target)];
    if (ends.includes(pk)) for (const end of ends) if (end && end !== pk) linked.add(end);
  }
  const vertical = key === 'ArrowUp' || key === 'ArrowDown', sign = key === 'ArrowUp' || key === 'ArrowLeft' ? -1 : 1;
  const near = (some, off) => some.map((one) => [one, middleOf(one)]).filter(([one, at]) => one !== pk && off(at))
    .sort((a, b) => Math.hypot(a[1][0] - x, a[1][1] - y) - Math.hypot(b[1][0] - x, b[1][1] - y)).map(([one]) => one)[0];
  if (vertical) return near([...linked], (at) => (at[1] - y) * sign > 1);
  return near(shown, (at) => Math.abs(at[1] - y) < 1 && (at[0] - x) * sign > 0);
}

function middleOf(pk) {
  const element = nodes.get(pk);
  const [, dx = 0, dy = 0] = (element.getAttribute('transform') || '').match(/translate\((\S+) (\S+)\)/) || [];
  return [Number(element.dataset.x) + Number(dx), Number(element.dataset.y) + Number(dy)];
}

window.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') { document.getElementById('filters').open = false; overview(); return; }
  if (event.target.closest('input, button, summary, a') || event.ctrlKey || event.metaKey || event.altKey) return;
  const deeds = { '/': () => search.focus(), '+': () => zoom(1 / 1.4), '-': () => zoom(1.4), 0: () => show({ ...home }) };
  const on = event.target.closest('.node') ? Number(event.target.closest('.node').dataset.pk) : chosen;
  if (on !== null && event.key.startsWith('Arrow') && !event.target.closest('#details')) {
    const next = neighbour(on, event.key);
    if (next === undefined) return;
    choose(next);
    centre(next);
    nodes.get(next).focus({ preventScroll: true });
  } else if (on !== null && event.key === ' ') toggle(on);
  else if (on !== null && event.key === 'Enter') choose(on);
  else if (deeds[event.key]) deeds[event.key]();
  else return;
  event.preventDefault();
});

const press = (name, deed) => document.getElementById(name).addEventListener('click', deed);
press('next', () => goToHit(1));
press('before', () => goToHit(-1));
press('in', () => zoom(1 / 1.4));
press('out', () => zoom(1.4));
press('all', () => show({ ...home }));
press('fold', () => { foldAll(); overview(); });
press('unfold', () => { unfoldAll(); overview(); });

function theme(dark) { document.documentElement.dataset.theme = dark ? 'dark' : 'light'; }
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
prefersDark.addEventListener('change', () => theme(prefersDark.matches));
press('theme', () => theme(document.documentElement.dataset.theme !== 'dark'));
window.addEventListener('resize', () => svg.classList.toggle('far', scale() < FAR));
