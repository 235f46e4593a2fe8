/**
 * Follows addresses that move a view, `#FIGURE&panorama=...`, which are those of no element: brings the figure into view,
 * where its module is loaded and reads the rest.
 */
export function followMoves(): void {
  const follow = () => {
    const [figure = '', ...values] = location.hash.slice(1).split('&');
    if (values.length > 0) document.getElementById(figure)?.scrollIntoView();
  };
  addEventListener('hashchange', follow);
  follow();
}
