// What is drawn: workflows fold into one box, types and states are filtered away. ------------------------------

const MOST_UNFOLDED = 250;  // with more nodes the page begins with its workflows folded
const CALLS = new Set(['call_calc', 'call_work']);
const callerOf = new Map(), calledBy = new Map();
for (const link of links) {
  if (!CALLS.has(link.type)) continue;
  if (!callerOf.has(link.target)) callerOf.set(link.target, link.source);
  add(calledBy, link.source, link.target);
}
const folded = new Set();
const unwanted = new Set();  // names of types and states that are filtered away
let shownAs = new Map();  // node → the node in whose box it is; itself, or nothing where it is not drawn

function topmostFolded(pk) {
  let result = pk;
  const seen = new Set();
  for (let one = pk; callerOf.has(one) && !seen.has(one);) {
    seen.add(one);
    one = callerOf.get(one);
    if (folded.has(one)) result = one;
  }
  return result;
}

// Data that only the inside of one folded workflow has to do with is inside, too.
function findWhatIsShown() {
  const boxes = new Map();
  for (const pk of nodes.keys()) if (data.nodes[pk].process) boxes.set(pk, topmostFolded(pk));
  for (const pk of nodes.keys()) {
    if (boxes.has(pk)) continue;
    const others = linksOf.get(pk).map((link) => (link.source === pk ? link.target : link.source));
    const inside = new Set(others.map((one) => (boxes.has(one) && boxes.get(one) !== one ? boxes.get(one) : null)));
    boxes.set(pk, inside.size === 1 && !inside.has(null) ? [...inside][0] : pk);
  }
  for (const pk of nodes.keys()) if (isUnwanted(boxes.get(pk))) boxes.set(pk, null);
  shownAs = boxes;
}

function isUnwanted(pk) {
  const node = data.nodes[pk];
  return unwanted.has(`type ${node.name}`) || unwanted.has(`state ${node.fields.state || 'data'}`);
}

function isShown(pk) { return shownAs.get(pk) === pk; }

// Draw anew what has to be drawn.
function redraw() {
  findWhatIsShown();
  const counts = new Map();
  for (const [pk, box] of shownAs) if (box !== null && box !== pk) counts.set(box, (counts.get(box) || 0) + 1);
  const sizes = new Map();
  for (const [pk, element] of nodes) {
    const shown = isShown(pk);
    element.classList.toggle('away', !shown);
    tellFolded(pk, element, counts.get(pk) || 0);
    if (shown) sizes.set(pk, [Number(element.dataset.w), Number(element.dataset.h)]);
  }
  const drawn = linksToDraw();
  const everything = sizes.size === nodes.size && drawn.length === links.length;
  const layout = everything ? first : layOut(sizes, drawn.map((link) => [shownAs.get(link.source), shownAs.get(link.target)]));
  for (const [pk, [x, y]] of layout.places) {
    const element = nodes.get(pk);
    element.setAttribute('transform', `translate(${x - Number(element.dataset.x)} ${y - Number(element.dataset.y)})`);
  }
  drawn.forEach((link, number) => {
    if (everything) restore(link);
    else drawLink(link, layout.places, layout.ways[number], sizes);
  });
  home = { x: 0, y: 0, width: Math.max(layout.width, 60), height: Math.max(layout.height, 40) };
}

function linksToDraw() {
  const real = new Set(), drawn = [];
  const within = [];
  for (const link of links) {
    const ends = [shownAs.get(link.source), shownAs.get(link.target)];
    link.element.classList.add('away');
    if (ends[0] === null || ends[1] === null) continue;
    if (ends[0] === link.source && ends[1] === link.target) {
      real.add(`${ends[0]} ${ends[1]}`);
      drawn.push(link);
    } else if (ends[0] !== ends[1]) within.push([link, `${ends[0]} ${ends[1]}`]);
  }
  for (const [link, name] of within) {
    if (real.has(name)) continue;
    real.add(name);
    drawn.push(link);
  }
  for (const link of drawn) link.element.classList.remove('away');
  return drawn;
}

function tellFolded(pk, element, count) {
  element.classList.toggle('folded', count > 0);
  let words = element.querySelector('.more');
  if (!count && !words) return;
  if (!words) {
    words = document.createElementNS(svg.namespaceURI, 'text');
    words.classList.add('more');
    words.setAttribute('x', element.dataset.x);
    words.setAttribute('y', Number(element.dataset.y) + Number(element.dataset.h) / 2 + 13);
    element.append(words);
  }
  words.textContent = count ? `+ ${count.toLocaleString('en')} inside` : '';
  element.setAttribute('aria-label', nameOf(pk) + (count ? `, folded, ${count} inside` : ''));
}

function edgeOf([x, y], [width, height], [towardsX, towardsY]) {
  const across = towardsX - x, down = towardsY - y;
  const length = Math.hypot(across / (width / 2), down / (height / 2));
  return length ? [x + across / length, y + down / length] : [x, y];
}

function drawLink(link, places, way, sizes) {
  const ends = [shownAs.get(link.source), shownAs.get(link.target)];
  const points = [places.get(ends[0]), ...way, places.get(ends[1])];
  points[0] = edgeOf(points[0], sizes.get(ends[0]), points[1]);
  points[points.length - 1] = edgeOf(points[points.length - 1], sizes.get(ends[1]), points[points.length - 2]);
  let path = `M${points[0].join(' ')}`;
  for (let number = 1; number < points.length; number += 1) {
    const [x, y] = points[number - 1], [nextX, nextY] = points[number], half = (y + nextY) / 2;
    path += `C${x} ${half} ${nextX} ${half} ${nextX} ${nextY}`;
  }
  link.path.setAttribute('d', path);
  const middle = Math.floor(points.length / 2);
  const [x, y] = points[middle - 1], [nextX, nextY] = points[middle];
  link.label.setAttribute('x', (x + nextX) / 2 + 5);
  link.label.setAttribute('y', (y + nextY) / 2 + (nextX < x ? 11 : -3));
}

function restore(link) {
  link.path.setAttribute('d', link.home[0]);
  link.label.setAttribute('x', link.home[1]);
  link.label.setAttribute('y', link.home[2]);
}

const folders = () => [...calledBy.keys()].filter((pk) => nodes.has(pk));
function foldAll() { for (const pk of folders()) folded.add(pk); redraw(); show({ ...home }); }
function unfoldAll() { folded.clear(); redraw(); show({ ...home }); }

function toggle(pk) {
  if (!calledBy.has(pk)) return;
  if (!folded.delete(pk)) folded.add(pk);
  redraw();
  choose(pk);
  centre(pk);
}

// Unfold what a node is inside of, so that it is drawn.
function reveal(pk) {
  let box = shownAs.get(pk);
  while (box !== null && box !== pk) {
    folded.delete(box);
    redraw();
    box = shownAs.get(pk);
  }
  return box === pk;
}

// filters ---------------------------------------------------------------------------------------------------

function choices(title, kind, values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  const set = document.createElement('fieldset');
  set.append(text('legend', title));
  for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    const label = document.createElement('label'), box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = true;
    box.dataset.filter = `${kind} ${name}`;
    box.addEventListener('change', () => {
      if (box.checked) unwanted.delete(box.dataset.filter);
      else unwanted.add(box.dataset.filter);
      redraw();
      show({ ...home });
      overview();
    });
    label.append(box, ` ${name} (${count.toLocaleString('en')})`);
    set.append(label);
  }
  return set;
}
