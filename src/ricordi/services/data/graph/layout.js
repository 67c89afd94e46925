'use strict';
// Where nodes are drawn when some are folded or filtered away: the steps of services/graph/layout.py, which placed all of them.
const GAP = 24, LAYER_GAP = 70, MARGIN = 20, WIDEST = 8, SWEEPS = 8, MOST_WAY_POINTS = 20000;

// sizes: node → [width, height]; links: [source, target] each. Returns { places, ways, width, height }.
function layOut(sizes, links) {
  const nodes = [...sizes.keys()];
  const downward = withoutCycles(nodes, links);
  const layerOf = layersOf(nodes, downward.filter(([a, b]) => a !== b));
  const layers = Array.from({ length: Math.max(-1, ...layerOf.values()) + 1 }, () => []);
  for (const [node, layer] of layerOf) layers[layer].push(node);
  const above = new Map(), below = new Map();
  const chains = insertWayPoints(layers, downward, layerOf, above, below);
  sortLayers(layers, above, below);
  const x = placeAcross(layers, above, below, (item) => (sizes.has(item) ? sizes.get(item)[0] : 0));
  return finish(layers, sizes, x, layerOf, chains, links);
}

function withoutCycles(nodes, links) {
  const targets = new Map();
  for (const [a, b] of links) add(targets, a, b);
  const state = new Map(), backward = new Set();
  for (const start of nodes) {
    if (state.has(start)) continue;
    state.set(start, 1);
    const way = [[start, 0]];
    while (way.length) {
      const top = way[way.length - 1];
      const following = targets.get(top[0]) || [];
      if (top[1] >= following.length) { state.set(top[0], 2); way.pop(); continue; }
      const target = following[top[1]++];
      if (state.get(target) === 1) backward.add(`${top[0]} ${target}`);
      else if (!state.has(target)) { state.set(target, 1); way.push([target, 0]); }
    }
  }
  return links.map(([a, b]) => (backward.has(`${a} ${b}`) ? [b, a] : [a, b]));
}

function layersOf(nodes, links) {
  const sources = new Map(nodes.map((node) => [node, 0])), targets = new Map();
  for (const [a, b] of links) { sources.set(b, sources.get(b) + 1); add(targets, a, b); }
  const layer = new Map(nodes.filter((node) => !sources.get(node)).map((node) => [node, 0]));
  const first = [...layer.keys()], waiting = [...first];
  for (const node of waiting) {
    for (const target of targets.get(node) || []) {
      layer.set(target, Math.max(layer.get(target) || 0, layer.get(node) + 1));
      sources.set(target, sources.get(target) - 1);
      if (!sources.get(target)) waiting.push(target);
    }
  }
  for (const node of first) {
    const others = targets.get(node);
    if (others) layer.set(node, others.reduce((least, one) => Math.min(least, layer.get(one)), Infinity) - 1);
  }
  return split(layer);
}

function split(layerOf) {
  const most = Math.max(WIDEST, Math.ceil(Math.sqrt(layerOf.size))), members = new Map(), result = new Map();
  for (const [node, layer] of layerOf) add(members, layer, node);
  let first = 0;
  for (const layer of [...members.keys()].sort((a, b) => a - b)) {
    const here = members.get(layer);
    here.forEach((node, number) => result.set(node, first + Math.floor(number / most)));
    first += Math.ceil(here.length / most);
  }
  return result;
}

function insertWayPoints(layers, links, layerOf, above, below) {
  const needed = links.reduce((sum, [a, b]) => sum + Math.max(0, Math.abs(layerOf.get(b) - layerOf.get(a)) - 1), 0);
  const known = new Map();
  let number = 0;
  for (const [upper, lower] of links) {
    const name = `${upper} ${lower}`;
    if (known.has(name) || upper === lower) continue;
    const chain = [];
    if (needed <= MOST_WAY_POINTS) {
      for (let layer = layerOf.get(upper) + 1; layer < layerOf.get(lower); layer += 1) {
        number -= 1;
        chain.push(number);
        layers[layer].push(number);
      }
    }
    if (needed <= MOST_WAY_POINTS || layerOf.get(lower) - layerOf.get(upper) === 1) {
      const steps = [upper, ...chain, lower];
      for (let step = 1; step < steps.length; step += 1) {
        add(below, steps[step - 1], steps[step]);
        add(above, steps[step], steps[step - 1]);
      }
    }
    known.set(name, chain);
  }
  return links.map(([a, b]) => known.get(`${a} ${b}`) || []);
}

function sortLayers(layers, above, below) {
  const place = new Map();
  for (const layer of layers) layer.forEach((item, number) => place.set(item, number));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const neighbours = sweep % 2 ? below : above;
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wanted = new Map(layer.map((item) => [item, mean((neighbours.get(item) || []).map((one) => place.get(one)), place.get(item))]));
      layer.sort((a, b) => wanted.get(a) - wanted.get(b));
      layer.forEach((item, number) => place.set(item, number));
    }
  }
}

function placeAcross(layers, above, below, width) {
  const x = new Map();
  for (const layer of layers) {
    let left = 0;
    for (const item of layer) { x.set(item, left + width(item) / 2); left += width(item) + GAP; }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const [first, second] = sweep % 2 ? [below, above] : [above, below];
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wanted = layer.map((item) => mean((first.get(item) || second.get(item) || []).map((one) => x.get(one)), x.get(item)));
      separated(wanted, layer.map(width)).forEach((place, number) => x.set(layer[number], place));
    }
  }
  return x;
}

function separated(wanted, widths) {
  const offsets = [0];
  for (let number = 1; number < widths.length; number += 1) {
    offsets.push(offsets[number - 1] + (widths[number - 1] + widths[number]) / 2 + GAP);
  }
  const pools = [];
  wanted.forEach((place, number) => {
    let pool = [place - offsets[number], 1];
    while (pools.length && pools[pools.length - 1][0] > pool[0]) {
      const [before, count] = pools.pop();
      pool = [(before * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1]];
    }
    pools.push(pool);
  });
  return pools.flatMap(([middle, count]) => Array(count).fill(middle)).map((middle, number) => middle + offsets[number]);
}

function finish(layers, sizes, x, layerOf, chains, links) {
  const middle = [], level = new Map();
  let y = MARGIN, left = Infinity, right = -Infinity;
  layers.forEach((layer, number) => {
    const height = layer.reduce((most, item) => Math.max(most, sizes.has(item) ? sizes.get(item)[1] : 0), 0);
    middle.push(y + height / 2);
    y += height + LAYER_GAP;
    for (const item of layer) {
      level.set(item, number);
      const half = (sizes.has(item) ? sizes.get(item)[0] : 0) / 2;
      left = Math.min(left, x.get(item) - half);
      right = Math.max(right, x.get(item) + half);
    }
  });
  if (!level.size) { left = 0; right = 0; }
  const point = (item) => [x.get(item) - left + MARGIN, middle[level.get(item)]];
  const places = new Map([...sizes.keys()].map((node) => [node, point(node)]));
  const ways = links.map(([a, b], number) => (layerOf.get(a) > layerOf.get(b) ? [...chains[number]].reverse() : chains[number]).map(point));
  return { places, ways, width: right - left + 2 * MARGIN, height: Math.max(0, y - LAYER_GAP) + MARGIN };
}

function mean(values, otherwise) {
  return values.length ? values.reduce((sum, one) => sum + one, 0) / values.length : otherwise;
}

function add(map, key, value) {
  if (map.has(key)) map.get(key).push(value);
  else map.set(key, [value]);
}
