import stringWidth from 'string-width';

/** Printable ASCII, nearly all there is: each character is one column, and is not taken apart. */
export const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

/** Columns of a terminal that a text takes. */
export const textWidth = (text: string): number => (isPlain(text) ? text.length : stringWidth(text));
