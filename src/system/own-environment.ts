/** Our environment for programs we start: without passphrases, and without what a hook that started us was told. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^BKP_(?:PASSPHRASE|HOOK_)/i.test(name)));
}
