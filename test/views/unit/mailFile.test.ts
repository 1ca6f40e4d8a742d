import assert from 'node:assert/strict';
import { MailFileService } from '../../../src/core/account/mailFile.ts';
import { mailFileModel } from '../../../src/views/mailFiles/mailFileModel.ts';
import { plain } from './plainLocaliser.ts';

const files = new MailFileService({ world: 'real' });
const shown = async (source: string) =>
  mailFileModel(await files.readMailFile({ source: Buffer.from(source) }), { l10n: plain, language: 'en', timeZone: 'UTC' });

describe('views/a message in a file', () => {
  it('is shown like any other, with what may be done with files, and without a claim about its author', async () => {
    const model = await shown(
      'From: Bob <bob@b.example>\r\nTo: c@d.example\r\nSubject: Hi\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\nHello\r\n',
    );
    assert.deepEqual([model.place, model.subject, model.from.address, model.text.trim()], ['file', 'Hi', 'bob@b.example', 'Hello']);
    assert.match(model.banner.sentence, /Nothing proves who wrote it/);
    assert.equal(model.failure, undefined);
    assert.equal(model.date.iso, '2026-03-02T10:00:00.000Z');
  });

  it('that is sealed says where it can be opened, in the place of its notice', async () => {
    const payload = '--b\r\nContent-Type: application/json; name="qumail_payload.json"\r\n\r\n{}\r\n--b--\r\n';
    const model = await shown(
      `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nOpen with QuMail\r\n${payload}`,
    );
    assert.match(model.failure?.sentence ?? '', /Import it into a folder/);
    assert.equal(model.failure?.button, 'Import…');
    assert.deepEqual([model.text, model.attachments, model.banner.tone], ['', [], 'waiting']);
  });

  it('without a date or an author is shown without them', async () => {
    const model = await shown('just some text, no mail at all');
    assert.deepEqual([model.date, model.from.address], [{ long: '', iso: '' }, '']);
  });
});
