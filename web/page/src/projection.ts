// A map of embeddings: the two directions of largest variance. For the eye only; every number comes from the metrics.

/** Coordinates along the first two principal directions, found by power iteration on at most 4,000 rows. */
export function principal(values: Float64Array, width: number): { x: Float64Array; y: Float64Array; shares: [number, number] } {
  const rows = values.length / width;
  const step = Math.max(1, Math.floor(rows / 4000));
  const mean = new Float64Array(width);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) mean[j]! += values[i * width + j]! / rows;
  let total = 0;
  for (let i = 0; i < rows; i += step) for (let j = 0; j < width; j++) total += (values[i * width + j]! - mean[j]!) ** 2;
  const axes: Float64Array[] = [];
  const shares: number[] = [];
  for (let axis = 0; axis < 2; axis++) {
    let direction = Float64Array.from({ length: width }, (_, j) => Math.sin(1 + j * (axis + 1.7)));
    let size = 0;
    for (let round = 0; round < 40; round++) {
      for (const earlier of axes) remove(direction, earlier);
      unit(direction);
      const next = new Float64Array(width);
      for (let i = 0; i < rows; i += step) {
        const along = project(values, i * width, mean, direction);
        for (let j = 0; j < width; j++) next[j]! += along * (values[i * width + j]! - mean[j]!);
      }
      for (const earlier of axes) remove(next, earlier);
      size = unit(next);
      direction = next;
    }
    axes.push(direction);
    shares.push(total > 0 ? size / total : 0);
  }
  const coordinates = axes.map((axis) => Float64Array.from({ length: rows }, (_, i) => project(values, i * width, mean, axis)));
  return { x: coordinates[0]!, y: coordinates[1]!, shares: [shares[0]!, shares[1]!] };
}

function project(values: Float64Array, at: number, mean: Float64Array, axis: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < axis.length; j++) sum += (values[at + j]! - mean[j]!) * axis[j]!;
  return sum;
}

function remove(from: Float64Array, axis: Float64Array): void {
  let along = 0;
  for (let j = 0; j < axis.length; j++) along += from[j]! * axis[j]!;
  for (let j = 0; j < axis.length; j++) from[j]! -= along * axis[j]!;
}

function unit(vector: Float64Array): number {
  const size = Math.hypot(...(vector.length < 50_000 ? vector : [1]));
  if (size > 0) for (let j = 0; j < vector.length; j++) vector[j]! /= size;
  return size;
}
