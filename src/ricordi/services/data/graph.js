'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const svg = document.querySelector('#drawing svg');
const details = document.getElementById('details');
const found = document.getElementById('found');
const whole = svg.viewBox.baseVal;
const ROOM = 45;  // for what lies on top of the drawing: the search field, the legend
const home = { x: whole.x, y: whole.y - ROOM, width: whole.width, height: whole.height + 2 * ROOM };
const FAR = 0.45;  // below this scale the labels of links could not be read

const nodes = new Map();
for (const element of svg.querySelectorAll('.node')) nodes.set(Number(element.dataset.pk), element);
const linksOf = new Map([...nodes.keys()].map((pk) => [pk, []]));
for (const element of svg.querySelectorAll('.link')) {
  const link = { element, source: Number(element.dataset.source), target: Number(element.dataset.target) };
  linksOf.get(link.source).push(link);
  if (link.source !== link.target) linksOf.get(link.target).push(link);
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
  const width = view.width * factor;
  const height = view.height * factor;
  show({ x: x - (x - view.x) * factor, y: y - (y - view.y) * factor, width, height });
}

function placeOf(event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

svg.addEventListener('wheel', (event) => {
  event.preventDefault();
  const place = placeOf(event);
  zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, place.x, place.y);
}, { passive: false });

let grip = null;
svg.addEventListener('pointerdown', (event) => {
  grip = { x: event.clientX, y: event.clientY, view, moved: false };
});
window.addEventListener('pointermove', (event) => {
  if (!grip) return;
  const across = event.clientX - grip.x;
  const down = event.clientY - grip.y;
  if (Math.abs(across) + Math.abs(down) < 4 && !grip.moved) return;
  grip.moved = true;
  svg.classList.add('moving');
  const ratio = 1 / scale();
  show({ ...grip.view, x: grip.view.x - across * ratio, y: grip.view.y - down * ratio });
});
window.addEventListener('pointerup', () => {
  if (grip && grip.moved) window.setTimeout(() => { grip = null; }, 0);
  else grip = null;
  svg.classList.remove('moving');
});

function centre(pk) {
  const box = nodes.get(pk).getBBox();
  const width = Math.min(view.width, 1400);
  const height = width * home.height / home.width;
  show({ x: box.x + box.width / 2 - width / 2, y: box.y + box.height / 2 - height / 2, width, height });
}

document.getElementById('in').onclick = () => zoom(1 / 1.4);
document.getElementById('out').onclick = () => zoom(1.4);
document.getElementById('all').onclick = () => show({ ...home });

// choosing a node -------------------------------------------------------------------------------------------

let marked = [];

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
  unmark();
  svg.classList.add('focus');
  mark(nodes.get(pk), 'near');
  mark(nodes.get(pk), 'chosen');
  for (const link of linksOf.get(pk)) {
    mark(link.element, 'near');
    mark(nodes.get(link.source), 'near');
    mark(nodes.get(link.target), 'near');
  }
  describe(pk);
}

svg.addEventListener('click', (event) => {
  if (grip && grip.moved) return;
  const element = event.target.closest('.node');
  if (element) choose(Number(element.dataset.pk));
  else overview();
});

function overview() {
  unmark();
  const count = `${nodes.size} nodes, ${svg.querySelectorAll('.link').length} links`;
  details.replaceChildren(heading('h1', data.title), text('p', count), text('p', 'Click a node to see what it is.'));
}

function describe(pk) {
  const node = data.nodes[pk];
  const parts = [heading('h1', node.name), table(Object.entries(node.fields))];
  const incoming = linksOf.get(pk).filter((link) => link.target === pk);
  const outgoing = linksOf.get(pk).filter((link) => link.source === pk);
  if (incoming.length) parts.push(heading('h2', 'Comes from'), list(incoming, (link) => link.source));
  if (outgoing.length) parts.push(heading('h2', 'Leads to'), list(outgoing, (link) => link.target));
  if (node.attributes !== undefined) {
    parts.push(heading('h2', 'Attributes'), text('pre', JSON.stringify(node.attributes, null, 2)));
  }
  details.replaceChildren(...parts);
  details.scrollTop = 0;
}

function heading(tag, words) {
  return text(tag, words);
}

function text(tag, words) {
  const element = document.createElement(tag);
  element.textContent = words;
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

function list(links, other) {
  return table(links.map((link) => {
    const pk = other(link);
    const anchor = text('a', `${data.nodes[pk].name} [${pk}]`);
    anchor.onclick = () => { choose(pk); centre(pk); };
    return [link.element.querySelector('title').textContent, anchor];
  }));
}

// finding ---------------------------------------------------------------------------------------------------

const haystack = new Map(Object.entries(data.nodes).map(([pk, node]) => [
  Number(pk), [pk, node.name, ...Object.values(node.fields)].join('\n').toLowerCase(),
]));

document.getElementById('search').addEventListener('input', (event) => {
  unmark();
  const words = event.target.value.trim().toLowerCase();
  if (!words) { found.textContent = ''; return; }
  const hits = [...haystack].filter(([pk, hay]) => String(pk) === words || hay.includes(words)).map(([pk]) => pk);
  found.textContent = `${hits.length} found`;
  for (const pk of hits) mark(nodes.get(pk), 'hit');
  if (hits.length) centre(hits.includes(Number(words)) ? Number(words) : hits[0]);
});

window.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') overview();
});

show({ ...home });
overview();
