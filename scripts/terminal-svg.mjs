// A screen of text with colours (SGR escapes, as `tmux capture-pane -e` gives them) as an SVG picture.

const cell = { width: 8.4, height: 18 };
const margin = 14;
const barHeight = 26;
const colours = ['#3b4252', '#d06c75', '#8fbf7f', '#e5c07b', '#6ca0dc', '#b48ead', '#6fb3b8', '#d8dee9'];
const bright = ['#6b7689', '#e88388', '#a8d496', '#f0d197', '#8fbcee', '#caa5c8', '#8fd0d5', '#ffffff'];
const plain = '#d8dee9';
/** ESC [ numbers m */
const sgr = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`, 'g');

/** Changes a style as the numbers of one SGR escape say. */
function styled(style, codes) {
  let next = { ...style };
  for (const code of codes) {
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) delete next.colour;
    else if (code >= 30 && code <= 37) next.colour = colours[code - 30];
    else if (code >= 90 && code <= 97) next.colour = bright[code - 90];
  }
  return next;
}

/** A line as pieces of one style each. */
function pieces(line, begin) {
  const found = [];
  let style = begin;
  let at = 0;
  for (const match of line.matchAll(sgr)) {
    if (match.index > at) found.push({ text: line.slice(at, match.index), style });
    style = styled(style, match[1] === '' ? [0] : match[1].split(';').map(Number));
    at = match.index + match[0].length;
  }
  if (at < line.length) found.push({ text: line.slice(at), style });
  return { found, style };
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function tspan({ text, style }) {
  const fill = style.colour ?? plain;
  const opacity = style.dim ? ' fill-opacity="0.6"' : '';
  const weight = style.bold ? ' font-weight="bold"' : '';
  return `<tspan fill="${fill}"${opacity}${weight}>${escaped(text)}</tspan>`;
}

export function svgOf(screen, { columns, title }) {
  const lines = screen.split('\n');
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = lines.length * cell.height + 2 * margin + barHeight;
  let style = {};
  const rows = lines.map((line, row) => {
    const { found, style: after } = pieces(line, style);
    style = after;
    const y = barHeight + margin + (row + 0.75) * cell.height;
    // A length for each line, so that every font draws columns below each other.
    const cells = found.reduce((sum, { text }) => sum + [...text].length, 0);
    if (cells === 0) return '';
    const length = (cells * cell.width).toFixed(1);
    return `<text x="${margin}" y="${y.toFixed(1)}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${found.map(tspan).join('')}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#242933"/>`,
    ...['#d06c75', '#e5c07b', '#8fbf7f'].map(
      (fill, n) => `<circle cx="${margin + 6 + n * 18}" cy="${barHeight / 2 + 3}" r="5" fill="${fill}"/>`,
    ),
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...rows.filter((row) => row !== ''),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}
