'use strict';
// Draws the figures that stand in the page as data: again where the theme or the width changes, and light on paper.
(() => {
  const figures = JSON.parse(document.getElementById('figures').textContent);
  const narrow = () => innerWidth < 700;

  function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  }

  function look(layout, dark) {
    const ink = dark ? '#e6e9ee' : '#1c2026';
    const line = dark ? '#3a424d' : '#d5d9df';
    const back = dark ? '#15181d' : '#ffffff';
    const result = JSON.parse(JSON.stringify(layout));
    result.paper_bgcolor = result.plot_bgcolor = back;
    result.font = { color: ink, size: 13, family: 'system-ui, "DejaVu Sans", Verdana, sans-serif' };
    result.hoverlabel = { align: 'left', bgcolor: dark ? '#2b323b' : '#ffffff', bordercolor: line, font: { color: ink } };
    for (const name of Object.keys(result)) {
      if (/^[xy]axis\d?$/.test(name)) {
        Object.assign(result[name], { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true, fixedrange: true });
      }
    }
    if (narrow() && result.narrow) Object.assign(result, result.narrow);
    delete result.narrow;
    if (narrow() && result.xaxis) {
      result.xaxis.nticks = 4;
      if (result.xaxis.type === 'category') result.xaxis.tickangle = -50;
    }
    return result;
  }

  function draw(dark = isDark(), width = undefined) {
    for (const [name, figure] of Object.entries(figures)) {
      const place = document.getElementById(name);
      const layout = look(figure.layout, dark);
      if (width) layout.width = width;
      else layout.autosize = true;
      for (const trace of figure.data) {
        if (trace.type === 'treemap') trace.marker.line = { color: layout.paper_bgcolor, width: 1 };
      }
      Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false, showTips: false });
    }
  }

  const maps = [...document.querySelectorAll('[data-map]')];
  function chooseMap(name) {
    for (const button of maps) button.setAttribute('aria-pressed', String(button.dataset.map === name));
    figures.space.data = figures.space.maps[name];
    document.getElementById('space').setAttribute('aria-label', `What takes the space, by ${name}`);
    for (const table of document.querySelectorAll('[data-table]')) table.hidden = table.dataset.table !== name;
    draw();
  }
  for (const button of maps) button.addEventListener('click', () => chooseMap(button.dataset.map));

  addEventListener('themechange', () => draw());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw());
  matchMedia('(max-width: 699px)').addEventListener('change', () => draw());
  addEventListener('beforeprint', () => draw(false, 680));
  addEventListener('afterprint', () => draw());
  if (maps.length) chooseMap(maps[0].dataset.map);
  else draw();
})();
