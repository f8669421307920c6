// What the pictures of the documents show: lines as they are typed, and what is waited for where a prompt is not the end.
const prepare = (type) => ({ type, hidden: true });

export const scenes = {
  create: {
    title: 'bkp create makes a proven backup; bkp list shows it',
    rows: 24,
    lines: [
      { type: 'bkp create --comment "before the update"' },
      { type: 'bkp create -q --no-uploads --format tar.gz' },
      { type: 'bkp list' },
    ],
  },
  restore: {
    title: 'bkp restore shows what it would change, asks for the id, and keeps a safety backup',
    rows: 34,
    lines: [
      prepare('bkp create -q'),
      prepare('echo x > var/uploads/later.txt; sqlite3 var/user.brain "DELETE FROM media WHERE rowid = 1"'),
      { type: 'bkp restore latest', then: /to replace what is there:$/ },
    ],
  },
  wizard: {
    title: 'bkp restore without a backup lists those that are there',
    rows: 9,
    lines: [
      prepare('bkp create -q --no-uploads --format tar.gz'),
      prepare(`bkp create -q --encrypt --passphrase-command '["echo", "correct horse battery"]'`),
      prepare('bkp create -q && bkp lock -q latest'),
      { type: 'bkp restore', then: /Enter takes it, Esc leaves\.$/ },
    ],
  },
};
