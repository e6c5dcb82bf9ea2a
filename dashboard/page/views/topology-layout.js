/**
 * DESIGN
 *
 * Where nodes and lines of the topology stand: layers from left to right (Sugiyama, Tagawa, Toda 1981). A node stands
 * right of everything that leads to it; a line that skips layers bends around what stands there; the order within a
 * layer is that of the neighbours' means, over a few sweeps. The same graph always gives the same picture.
 */
export const nodeWidth = 124;
const columnGap = 186;
const rowGap = 30;
/** Between two lines that end at the same node: a label fits above each. */
const portGap = 19;
const leastHeight = 54;
const bendHeight = 8;
const margin = 12;
const sweeps = 6;

/**
 * @param {string[]} names
 * @param {{ id: string, from: string, to: string }[]} edges
 * @returns {{ width: number, height: number, nodes: Map<string, { x: number, y: number, height: number }>,
 *   lines: Map<string, { path: string, end: { x: number, y: number } }> }}
 */
export function layOut(names, edges) {
  const ahead = forwardEdges(names, edges);
  const layerOf = layersOf(names, ahead);
  const items = new Map(names.map((name) => [name, item(layerOf.get(name), portsHeight(name, ahead))]));
  const chains = new Map(ahead.map((edge) => [edge.id, chainOf(edge, layerOf, items)]));
  const layers = Object.values(Object.groupBy(items.values(), ({ layer }) => layer));
  for (const chain of chains.values()) {
    for (let index = 1; index < chain.length; index++) {
      chain[index].before.push(chain[index - 1]);
      chain[index - 1].after.push(chain[index]);
    }
  }
  arrange(layers);
  const height = place(layers);
  for (const each of items.values()) each.x = margin + each.layer * (nodeWidth + columnGap);
  const width = margin * 2 + layers.length * nodeWidth + (layers.length - 1) * columnGap;
  return {
    width,
    height,
    nodes: new Map(names.map((name) => [name, items.get(name)])),
    lines: drawLines(ahead, chains),
  };
}

const item = (layer, height) => ({ layer, height, y: 0, before: [], after: [] });

function portsHeight(name, edges) {
  const most = Math.max(
    edges.filter(({ to }) => to === name).length,
    edges.filter(({ from }) => from === name).length,
  );
  return Math.max(leastHeight, most * portGap + 12);
}

/** Lines that would close a circle are turned round for the layout. */
function forwardEdges(names, edges) {
  const state = new Map();
  const turned = new Set();
  const visit = (name) => {
    state.set(name, "open");
    for (const edge of edges.filter(({ from }) => from === name)) {
      if (state.get(edge.to) === "open") turned.add(edge.id);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(name, "done");
  };
  for (const name of names) if (!state.has(name)) visit(name);
  return edges
    .filter(({ from, to }) => from !== to && names.includes(from) && names.includes(to))
    .map((edge) =>
      turned.has(edge.id)
        ? { id: edge.id, from: edge.to, to: edge.from, turned: true }
        : { ...edge, turned: false },
    );
}

/** Longest way from a node that nothing leads to. */
function layersOf(names, edges) {
  const layers = new Map();
  const layer = (name) => {
    if (!layers.has(name)) {
      const before = edges.filter(({ to }) => to === name).map(({ from }) => layer(from) + 1);
      layers.set(name, Math.max(0, ...before));
    }
    return layers.get(name);
  };
  for (const name of names) layer(name);
  return layers;
}

/** The nodes of a line with a bend in each layer between them. */
function chainOf({ id, from, to }, layerOf, items) {
  const chain = [items.get(from)];
  for (let layer = layerOf.get(from) + 1; layer < layerOf.get(to); layer++) {
    const bend = item(layer, bendHeight);
    items.set(`${id} ${layer}`, bend);
    chain.push(bend);
  }
  return [...chain, items.get(to)];
}

function arrange(layers) {
  const rank = () => {
    for (const layer of layers)
      for (const [index, each] of layer.entries()) each.rank = (index + 0.5) / layer.length;
  };
  rank();
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      for (const each of layer)
        each.wanted =
          mean((sweep % 2 === 0 ? each.before : each.after).map(({ rank: of }) => of)) ?? each.rank;
      layer.sort((a, b) => a.wanted - b.wanted);
      rank();
    }
  }
}

const mean = (values) =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sets y: each as near to its neighbours as those above it let it. @returns the height of all */
function place(layers) {
  const heightOf = (layer) => layer.reduce((sum, { height }) => sum + height + rowGap, -rowGap);
  const tallest = Math.max(...layers.map(heightOf));
  for (const layer of layers) {
    let y = margin + (tallest - heightOf(layer)) / 2;
    for (const each of layer) {
      each.y = y;
      y += each.height + rowGap;
    }
  }
  const middle = ({ y, height }) => y + height / 2;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const layer of layers) {
      let free = margin;
      let room = heightOf(layer);
      for (const each of layer) {
        const wanted = (mean([...each.before, ...each.after].map(middle)) ?? middle(each)) - each.height / 2;
        each.y = Math.max(free, Math.min(wanted, margin + tallest - room));
        free = each.y + each.height + rowGap;
        room -= each.height + rowGap;
      }
    }
  }
  return tallest + margin * 2;
}

function drawLines(edges, chains) {
  const ports = new Map();
  const port = (node, side, edge) => {
    const id = `${edge.id} ${side}`;
    if (!ports.has(id)) {
      const all = edges.filter((each) => chains.get(each.id).at(side === "in" ? -1 : 0) === node);
      const next = (each) => chains.get(each.id).at(side === "in" ? -2 : 1);
      all.sort((a, b) => next(a).y - next(b).y);
      const top = node.y + (node.height - (all.length - 1) * portGap) / 2;
      for (const [index, each] of all.entries()) ports.set(`${each.id} ${side}`, top + index * portGap);
    }
    return ports.get(id);
  };
  return new Map(
    edges.map((edge) => {
      const chain = chains.get(edge.id);
      const points = [{ x: chain[0].x + nodeWidth, y: port(chain[0], "out", edge) }];
      for (const bend of chain.slice(1, -1))
        points.push({ x: bend.x, y: bend.y }, { x: bend.x + nodeWidth, y: bend.y });
      points.push({ x: chain.at(-1).x, y: port(chain.at(-1), "in", edge) });
      const along = edge.turned ? points.toReversed() : points;
      return [edge.id, { path: curve(along), end: points.at(-1) }];
    }),
  );
}

/** Level at every point, and smooth between them. */
function curve([first, ...points]) {
  let path = `M${first.x} ${first.y.toFixed(1)}`;
  let last = first;
  for (const point of points) {
    const reach = (point.x - last.x) * 0.45;
    path += `C${last.x + reach} ${last.y.toFixed(1)} ${point.x - reach * 1.1} ${point.y.toFixed(1)} ${point.x} ${point.y.toFixed(1)}`;
    last = point;
  }
  return path;
}
