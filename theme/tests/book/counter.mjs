export default {
  render({ model, el }) {
    const button = document.createElement('button');
    let count = model.get('start');
    const show = () => { button.textContent = `Counted to ${count}`; };
    button.addEventListener('click', () => { count += 1; show(); });
    show();
    el.append(button);
  },
};
