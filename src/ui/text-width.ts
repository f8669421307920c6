import stringWidth from 'string-width';

/** Columns of a terminal that a text takes. Plain ASCII, nearly all there is, is not taken apart. */
export const textWidth = (text: string): number => (/^[ -~]*$/.test(text) ? text.length : stringWidth(text));
