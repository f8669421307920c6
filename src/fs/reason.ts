import { errorText, systemCode } from '../base/errors.js';

/** Why a file operation failed, without the call and the path that Node.js adds: `EACCES: permission denied`. */
export function reasonOf(error: unknown): string {
  const text = errorText(error);
  if (!(error instanceof Error) || !('syscall' in error)) return text;
  const call = text.indexOf(`, ${String(error.syscall)}`);
  return call === -1 ? text : text.slice(0, call);
}

/** The same as an error that keeps its code, for `ioError`: where the path in the text would not tell people anything. */
export function withoutPath(error: unknown): unknown {
  const code = systemCode(error);
  return code === undefined ? error : Object.assign(new Error(reasonOf(error), { cause: error }), { code });
}

/** The same, but of a path through a descriptor the end is kept: the name in the folder. */
export function withoutDescriptor(error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const text = errorText(error).replaceAll(/\/proc\/self\/fd\/\d+\//g, '');
  return Object.assign(new Error(text, { cause: error }), { code });
}
