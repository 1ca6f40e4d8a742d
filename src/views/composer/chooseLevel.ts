import * as vscode from 'vscode';
import { SECURITY_LEVELS } from '../../core/api.ts';
import type { DraftCheck, SecurityLevel } from '../../core/api.ts';
import { showBox } from '../box.ts';
import { levelName } from '../labels.ts';
import { keyCost, levelIcon, whatLevelTakes, whatOpenPgpTakes, whyNotLevel } from './levels.ts';

interface LevelItem extends vscode.QuickPickItem {
  readonly level: SecurityLevel | 'openpgp';
  readonly possible: 'yes' | 'no';
}

/** Asks for a level. Those that are not possible now are shown with the reason, and cannot be taken. */
export function pickLevel(check: DraftCheck): Promise<SecurityLevel | 'openpgp' | undefined> {
  const pick = vscode.window.createQuickPick<LevelItem>();
  pick.title = vscode.l10n.t('Choose Security Level');
  pick.placeholder = vscode.l10n.t('The message is sent at exactly the level you choose, or not at all');
  pick.matchOnDetail = true;
  pick.items = [...SECURITY_LEVELS.map((level) => itemOf(level, check)), ...(check.openPgp ? [openPgpItem(check)] : [])];
  const chosenNow = check.openPgp === 'chosen' ? 'openpgp' : check.level;
  const current = pick.items.find(({ level }) => level === chosenNow);
  if (current) pick.activeItems = [current];
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [chosen] = pick.selectedItems;
      if (!chosen) return;
      if (chosen.possible === 'no' && chosen.level !== 'openpgp') {
        pick.placeholder = whyNotLevel(chosen.level, vscode.l10n);
        pick.selectedItems = [];
        return;
      }
      resolve(chosen.level);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    showBox(pick);
  });
}

function itemOf(level: SecurityLevel, check: DraftCheck): LevelItem {
  const possible = check.possible.includes(level);
  const now = level === check.level && check.openPgp !== 'chosen' ? vscode.l10n.t('chosen now · {0}', keyCost(check, vscode.l10n)) : '';
  return {
    level,
    possible: possible ? 'yes' : 'no',
    label: `$(${possible ? levelIcon(level) : 'circle-slash'}) ${level} ${levelName(level, vscode.l10n)}`,
    description: now,
    detail: possible ? whatLevelTakes(level, vscode.l10n) : whyNotLevel(level, vscode.l10n),
  };
}

function openPgpItem(check: DraftCheck): LevelItem {
  return {
    level: 'openpgp',
    possible: 'yes',
    label: `$(lock-small) ${vscode.l10n.t('PGP, not post-quantum')}`,
    description: check.openPgp === 'chosen' ? vscode.l10n.t('chosen now') : '',
    detail: whatOpenPgpTakes(vscode.l10n),
  };
}
