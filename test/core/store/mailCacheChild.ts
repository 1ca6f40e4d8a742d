/** A window that opens mail.db, prints which file it got and its inode, and closes when its input ends. Argument: the folder. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../../src/core/store/database.ts';
import { MailCache } from '../../../src/core/store/mailCache.ts';
import { MAIL_MIGRATIONS } from '../../../src/core/store/mailSchema.ts';
import { SEARCH_MIGRATIONS } from '../../../src/core/store/searchSchema.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';

const dir = process.argv[2]!;
const vault = openDatabase(join(dir, 'vault.db'), { durability: 'full', migrations: VAULT_MIGRATIONS });
const cache = new MailCache({ dir, vault, migrations: [...MAIL_MIGRATIONS, ...SEARCH_MIGRATIONS] });
const file = String(cache.db.location());
const name = readdirSync(dir).find((entry) => join(dir, entry) === file);
console.log(`${name} ${statSync(file).ino}`);
process.stdin.resume();
process.stdin.on('end', () => {
  cache.dispose();
  vault.close();
});
