/** Which rows of a long list exist in the document: `from` included, `to` excluded. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

export interface Viewport {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly count: number;
  /** Rows kept beyond each edge, so that a fast scroll shows no blank. */
  readonly overscan: number;
}

export function visibleRows({ scrollTop, height, rowHeight, count, overscan }: Viewport): Rows {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan;
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight) + overscan;
  const to = Math.max(0, Math.min(count, last));
  return { from: Math.max(0, Math.min(first, to)), to };
}

/** The scroll position nearest to the present one that shows the whole row. */
export function scrollToShow(index: number, { scrollTop, height, rowHeight }: Viewport): number {
  const top = index * rowHeight;
  const bottom = top + rowHeight;
  if (top < scrollTop) return top;
  if (bottom > scrollTop + height) return bottom - height;
  return scrollTop;
}
