export function nuclei(count: number): string {
  return count === 1 ? '1 nucleus' : `${grouped(count)} nuclei`;
}

/** A whole number with commas between thousands; `toLocaleString` holds the page up for 20 ms when it is first asked. */
export function grouped(value: number): string {
  return thousands(value.toFixed(0));
}

/** Puts commas between the thousands of digits before the point. */
export function thousands(whole: string): string {
  return whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
}

export function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** The brightness of a panorama, with as many digits in each view. */
export function brightness(mean: number): string {
  return mean.toFixed(1);
}

/** The name of a cell: that of its published file, without its ending. */
export function nameOf({ panorama, roi }: { panorama: string; roi: number }): string {
  return `${panorama}_ROI_${roi}`;
}
