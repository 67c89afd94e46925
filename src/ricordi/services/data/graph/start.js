// The page as it begins. -----------------------------------------------------------------------------------

theme(prefersDark.matches);
let onScreen = '';
window.addEventListener('beforeprint', () => { onScreen = document.documentElement.dataset.theme; theme(false); });
window.addEventListener('afterprint', () => theme(onScreen === 'dark'));
for (const [pk, element] of nodes) {
  element.setAttribute('role', 'button');
  element.setAttribute('aria-label', nameOf(pk));
  element.tabIndex = -1;
}
svg.setAttribute('role', 'group');
svg.setAttribute('aria-label', data.title);
if (nodes.size) nodes.values().next().value.tabIndex = 0;
document.getElementById('choices').append(
  choices('State', 'state', Object.values(data.nodes).map((node) => node.fields.state || 'data')),
  choices('Type', 'type', Object.values(data.nodes).map((node) => node.name)),
);
for (const name of ['fold', 'unfold']) document.getElementById(name).hidden = !folders().length;
if (nodes.size > MOST_UNFOLDED) for (const pk of folders()) folded.add(pk);
redraw();
show({ ...home });
overview();
