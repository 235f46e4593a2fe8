declare module 'plotly.js-basic-dist-min' {
  const Plotly: {
    react(host: HTMLElement, data: object[], layout: object, config: object): Promise<void>;
  };
  export default Plotly;
}
