// A plot of points over time, drawn as SVG.

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 480, HEIGHT = 150, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 22;

function shape(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Round up to a number that people like to read: 1, 2 or 5 with zeros. */
function nice(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= number);
}

export function short(number) {
  if (number >= 100) return number.toFixed(0);
  return number >= 10 ? number.toFixed(1) : number.toPrecision(2);
}

/** Draw points, pairs of a time and a value in seconds or per second, up to now. */
export function plot(svg, points, { now, back, unit, about }) {
  const top = nice(Math.max(...points.map(([, value]) => value), 0.01));
  const x = (time) => LEFT + (WIDTH - LEFT - RIGHT) * (1 - (now - time) / back);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / top);
  const shapes = [];
  for (const value of points.length ? [0, top / 2, top] : [0]) {
    shapes.push(shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    shapes.push(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value ? short(value) : "0"));
  }
  for (let minutes = back / 60; minutes >= 0; minutes -= 2) {
    const anchor = minutes ? "middle" : "end";
    const label = minutes ? `−${minutes} min` : "now";
    shapes.push(shape("text", { x: x(now - minutes * 60) + (minutes === back / 60 ? 16 : 0), y: HEIGHT - 5, "text-anchor": anchor }, label));
  }
  const there = points.map(([time, value]) => `${x(time)},${y(value)}`);
  shapes.push(shape("polyline", { points: there.join(" ") }));
  for (const [time, value] of points) {
    const point = shape("circle", { cx: x(time), cy: y(value), r: 3.5 });
    point.append(shape("title", {}, `${short(value)} ${unit}, ${new Date(time * 1000).toLocaleTimeString()}`));
    shapes.push(point);
  }
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-label", described(points, unit, about));
  svg.replaceChildren(...shapes);
}

function described(points, unit, about) {
  if (!points.length) return `${about}: nothing in the last minutes.`;
  const values = points.map(([, value]) => value);
  const last = values[values.length - 1];
  return `${about}: ${points.length} answers, the last ${short(last)} ${unit}, from ${short(Math.min(...values))} to ${short(Math.max(...values))}.`;
}
