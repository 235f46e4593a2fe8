/** Text in which a short word, such as `--diameter` or single-cell, breaks at none of its hyphens. */
export function Words({ text, most }: { text: string; most: number }) {
  const words = text.split(/(?<= )/);
  return words.map((word, at) => (word.includes('-') && word.length <= most ? <span key={at} className="word">{word}</span> : word));
}
