import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { dayStart } from './days.ts';
import { formatShort } from './numbers.ts';
import { upperEdges, type Layer } from './stack.ts';

const height = 260;
const halfDay = 12 * 60 * 60;

export interface Chart {
  /** Draws the chart with these numbers. */
  show(days: readonly string[], layers: readonly Layer[]): void;
}

/**
 * Stacked bars, one for each day. The page also shows the numbers as text and in a table.
 *
 * @param place the parent element, whose width the chart has
 * @param onDay receives the index of the day under the pointer, or undefined if there is none
 */
export function createChart(place: HTMLElement, onDay: (index: number | undefined) => void): Chart {
  let plot: uPlot | undefined;
  let shown: { days: readonly string[]; layers: readonly Layer[] } | undefined;

  function draw(): void {
    plot?.destroy();
    plot = undefined;
    if (shown === undefined || place.clientWidth === 0) return;
    const { days, layers } = shown;
    plot = new uPlot(options(place, layers.length, onDay), data(days, layers), place);
  }

  new ResizeObserver(() => {
    if (plot === undefined) draw();
    else if (plot.width !== place.clientWidth) plot.setSize({ width: place.clientWidth, height });
  }).observe(place);
  // The page's colours follow the system's setting.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  return {
    show(days, layers) {
      shown = { days, layers };
      draw();
    },
  };
}

/** uPlot draws the series in this order: the whole bar first, then the lower layers over it. */
function data(days: readonly string[], layers: readonly Layer[]): uPlot.AlignedData {
  return [days.map((day) => dayStart(day) / 1000), ...upperEdges(layers).toReversed()];
}

function options(place: HTMLElement, count: number, onDay: (index: number | undefined) => void): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
  };
  const bars = uPlot.paths.bars?.({ size: [0.75, 40] });
  const layers = Array.from({ length: count }, (_, index) => {
    const fill = colour(`--layer-${count - 1 - index}`);
    return { fill, stroke: fill, width: 0, points: { show: false }, ...(bars && { paths: bars }) };
  });
  return {
    width: place.clientWidth,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    // Half a day on either side, so that the first and last bars are drawn in full.
    scales: {
      x: { range: (_, first, last) => [first - halfDay, last + halfDay] },
      y: { range: (_, _least, most) => [0, most === 0 ? 1 : most * 1.08] },
    },
    axes: [
      { ...axis, size: 32, grid: { show: false }, values: (_, ticks) => ticks.map(tickLabel) },
      { ...axis, size: 56, incrs: wholeSteps, values: (_, ticks) => ticks.map(formatShort) },
    ],
    series: [{}, ...layers],
    hooks: { setCursor: [(plot) => onDay(plot.cursor.idx ?? undefined)] },
  };
}

const tickForm = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' });

function tickLabel(seconds: number): string {
  return tickForm.format(seconds * 1000);
}

/** Steps of the count axis: whole numbers only. */
const wholeSteps = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
