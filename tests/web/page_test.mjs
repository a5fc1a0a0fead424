// The page in a real browser: node page_test.mjs FIXTURE_SERVER [SCREENSHOT_DIRECTORY]. Needs playwright-core (found by
// NODE_PATH or beside the working directory) and Chromium. Exit 77: one of them is missing.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import readline from 'node:readline';

const [fixture, shots] = process.argv.slice(2);
const browserPath = process.env.CHROMIUM || '/usr/bin/chromium';
let chromium;
try {
  ({chromium} = createRequire(join(process.cwd(), 'x.js'))('playwright-core'));
} catch {
  console.log('playwright-core is not installed');
  process.exit(77);
}
if (!existsSync(browserPath)) {
  console.log('Chromium is not installed');
  process.exit(77);
}

const server = spawn(fixture, {stdio: ['pipe', 'pipe', 'inherit']});
const lines = readline.createInterface({input: server.stdout})[Symbol.asyncIterator]();
const base = `http://127.0.0.1:${(await lines.next()).value}`;
const browser = await chromium.launch(
    {executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});

async function scene(name) {
  server.stdin.write(name + '\n');
  assert.equal((await lines.next()).value, 'scene ' + name);
}

const complaints = [];
async function newPage(options) {
  const context = await browser.newContext({locale: 'en-GB', ...options});
  const page = await context.newPage();
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', error => complaints.push(String(error)));
  await page.goto(base + '/');
  await page.waitForSelector('#tunnels tr');
  return page;
}
const shoot = (page, name) => shots ? page.screenshot({path: join(shots, name + '.png'), fullPage: true}) : null;
const hostileName = `<img src=x onerror="window.hacked=1">"'&</td>` + 'w'.repeat(60);

const steps = {
  async 'a wide page tells state, cause, evidence, action and alternatives'() {
    const page = await newPage({viewport: {width: 1100, height: 900}});
    const rows = await page.locator('#tunnels tr').allInnerTexts();
    assert.equal(rows.length, 3);
    assert.ok(rows.some(r => /beijing\s+down\s+authentication fail and 1 more/.test(r)), rows.join('|'));
    assert.ok(rows.some(r => /shanghai\s+up/.test(r)));
    assert.match(await page.textContent('#sums'), /^2 down, 1 up$/);
    const details = await page.locator('details', {hasText: 'beijing'}).first().innerText();
    for (const text of ['IKE_AUTH was answered', 'Enter the same pre-shared key', 'config_id_mismatch', 'likely, guide 1.1',
                        'AES_CBC-256 here', 'IKE UDP 4500: no answer', 'ike_sa_deleted by the peer', 'this side is behind NAT', '7 lost',
                        '/recordings/beijing-20231114T221500Z-authentication_fail.pcap'])
      assert.ok(details.includes(text), `${text} is not in: ${details}`);
    for (const text of ['unreachable: ESP ends at hop 3', '9 ESP packets left', '1,400 bytes, larger packets vanish without a word'])
      assert.ok(details.includes(text), `${text} is not in: ${details}`);
    // In the task of the click: what it opens is there at once, before another report can be shown.
    const opened = await page.evaluate(() => {
      const box = [...document.querySelectorAll('details')].find(d => d.textContent.startsWith('shanghai'));
      box.querySelector('summary').click();
      return box.innerText;
    });
    const beside = 'beside it, as the tunnel’s ESP goes in UDP: protocol 50 refused';
    for (const text of ['reachable: ESP in UDP flows', beside, '1,500 bytes'])
      assert.ok(opened.includes(text), `${text} is not in: ${opened}`);
    const agent = await page.innerText('#agent');
    assert.match(agent, /Capture eth0: 5,000 packets, 3 dropped/);
    assert.match(agent, /Capture ppp0: off/);
    assert.match(await page.innerText('#reference-list'), /114\.114\.114\.114/);
    await shoot(page, 'wide');
    await page.context().close();
  },

  async 'hostile text is text'() {
    const page = await newPage({viewport: {width: 1100, height: 900}});
    assert.equal(await page.locator('#tunnels a', {hasText: '<img'}).first().textContent(), hostileName);
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.ok((await page.innerText('#details')).includes('<img src=x onerror=alert(1)>'));
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    await page.context().close();
  },

  async 'Chinese by the button, and remembered'() {
    const page = await newPage({viewport: {width: 1100, height: 900}});
    await page.click('#language');
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    const text = await page.innerText('body');
    for (const wanted of ['隧道', '断开', '认证失败', '两端配置相同的预共享密钥。', '抓包 eth0']) assert.ok(text.includes(wanted), wanted);
    assert.ok(!text.includes('What to do'));
    await shoot(page, 'chinese');
    await page.reload();
    await page.waitForSelector('#tunnels tr');
    assert.equal(await page.innerText('#tunnels-title'), '隧道');
    await page.click('#language');
    assert.equal(await page.innerText('#tunnels-title'), 'Tunnels');
    await page.context().close();
    const chinese = await newPage({locale: 'zh-CN', viewport: {width: 1100, height: 900}});
    assert.equal(await chinese.innerText('#tunnels-title'), '隧道');
    await chinese.context().close();
  },

  async 'a phone shows all without scrolling sideways, in the dark too'() {
    const page = await newPage({viewport: {width: 360, height: 740}, colorScheme: 'dark'});
    await page.evaluate(() => document.querySelectorAll('details:not([open]) summary').forEach(summary => summary.click()));
    assert.equal(await page.locator('details:not([open])').count(), 0);
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `${content} of ${window}`);
    await shoot(page, 'phone');
    await page.context().close();
  },

  async 'it follows the agent, keeps what a person opened, and says so when the agent is gone'() {
    const page = await newPage({viewport: {width: 1100, height: 900}});
    await page.locator('#tunnels a', {hasText: 'shanghai'}).click();
    assert.equal(await page.locator('details[open]', {hasText: 'shanghai'}).count(), 1);
    await scene('calm');
    await page.waitForFunction(() => document.getElementById('sums').textContent === '3 up', null, {timeout: 8000});
    assert.match(await page.textContent('#news'), /beijing: up/);
    assert.equal(await page.locator('details[open]', {hasText: 'shanghai'}).count(), 1);
    await page.fill('#filter', 'SHANG');
    assert.equal(await page.locator('#tunnels tr').count(), 1);
    const complaintsBefore = complaints.length;
    await scene('gone');
    await page.waitForSelector('#alarm:not([hidden])', {timeout: 8000});
    assert.match(await page.textContent('#alarm'), /does not answer/);
    complaints.length = complaintsBefore;  // the browser complains of the refused connection, rightly
    await page.context().close();
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log('ok   ' + name);
  } catch (error) {
    ++failed;
    console.log(`FAIL ${name}\n${error.stack}`);
  }
}
if (complaints.length) {
  ++failed;
  console.log('FAIL the console is silent\n' + complaints.join('\n'));
}
await browser.close();
server.stdin.end();
process.exit(failed ? 1 : 0);
