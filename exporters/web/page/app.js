// The status page: fetches the report every two seconds and shows it. All that the report says goes into the page as
// text nodes, never as markup: names and messages of peers are theirs to choose.
'use strict';

const REFRESH_MS = 2000;
const WINDOW_S = 60;  // over which loss and round trips are told

const WORDS = {
  en: {
    tunnels: 'Tunnels', tunnel: 'Tunnel', state: 'State', cause: 'Cause', since: 'For', rtt: 'Round trip', loss: 'Loss, 1 min',
    filter: 'Filter by name', none: 'No tunnel was seen yet.', references: 'References', agent: 'Agent', updated: 'Last update',
    up: 'up', down: 'down', negotiating: 'negotiating', unknown: 'unknown', noCause: 'no known cause', more: n => ` and ${n} more`,
    confirmed: 'confirmed', likely: 'likely', possible: 'possible', guide: 'guide', action: 'What to do', evidence: 'Evidence',
    alternatives: 'It may also be', past: 'over since', first: 'seen since', blind: 'Not seen by', nat: 'NAT', natLocal: 'this side is behind NAT',
    natRemote: 'the peer is behind NAT', natNone: 'none', offersLocal: 'Offered here', offersRemote: 'Offered by the peer',
    differences: 'Differences', probes: 'Probes', answers: 'answers', silent: 'no answer', noProbe: 'not probed yet', esp: 'ESP', packets: 'packets',
    lost: 'lost', reordered: 'reordered', duplicates: 'duplicate', events: 'Events', by: {local: 'by this side', remote: 'by the peer'},
    discovered: 'discovered', peer: 'Peer', capture: 'Capture', recording: 'Packets', captured: 'packets', dropped: 'dropped', off: 'off', works: 'works', source: 'Source',
    config: 'The last configuration was refused', ready: 'ready', notReady: 'not ready yet', version: 'version',
    noAnswer: 'The agent does not answer. What is shown is from ', neverAnswered: 'The agent does not answer.',
    isNow: (name, state) => `${name}: ${state}`, other: '中文', otherLang: 'zh', lang: 'en-GB', roles: {gateway: 'gateway', inner: 'inside', reference: 'reference'},
    espPath: 'ESP path', reachable: 'reachable', unreachable: 'unreachable', beside: 'beside it, as the tunnel’s ESP goes in UDP: ',
    pathMtu: 'Path MTU', bytes: 'bytes', blackHole: 'larger packets vanish without a word',
  },
  zh: {
    tunnels: '隧道', tunnel: '隧道', state: '状态', cause: '原因', since: '持续', rtt: '往返时延', loss: '丢包(1 分钟)',
    filter: '按名称筛选', none: '还没有发现隧道。', references: '参考地址', agent: '本程序', updated: '最近更新',
    up: '已连接', down: '断开', negotiating: '协商中', unknown: '未知', noCause: '没有已知原因', more: n => ` 等 ${n + 1} 项`,
    confirmed: '确认', likely: '很可能', possible: '可能', guide: '手册', action: '处理方法', evidence: '依据',
    alternatives: '也可能是', past: '结束于', first: '开始于', blind: '看不到的途径', nat: 'NAT', natLocal: '本端在 NAT 之后',
    natRemote: '对端在 NAT 之后', natNone: '无', offersLocal: '本端提议', offersRemote: '对端提议',
    differences: '差异', probes: '探测', answers: '有应答', silent: '无应答', noProbe: '尚未探测', esp: 'ESP', packets: '个报文',
    lost: '丢失', reordered: '乱序', duplicates: '重复', events: '事件', by: {local: '由本端', remote: '由对端'},
    discovered: '自动发现', peer: '对端', capture: '抓包', recording: '报文', captured: '个报文', dropped: '丢弃', off: '关闭', works: '正常', source: '来源',
    config: '最近一次配置被拒绝', ready: '就绪', notReady: '尚未就绪', version: '版本',
    noAnswer: '本程序没有应答。显示的内容来自 ', neverAnswered: '本程序没有应答。',
    isNow: (name, state) => `${name}:${state}`, other: 'English', otherLang: 'en', lang: 'zh-CN', roles: {gateway: '网关', inner: '内网', reference: '参考'},
    espPath: 'ESP 通路', reachable: '可达', unreachable: '不可达', beside: '仅供参考(隧道的 ESP 由 UDP 封装):',
    pathMtu: '路径 MTU', bytes: '字节', blackHole: '更大的报文被无声丢弃',
  },
};

const byId = id => document.getElementById(id);
let language = savedLanguage();
let report = null;
let causes = new Map();        // id -> catalogue row
let receivedAt = null;
const history = new Map();     // echo target -> samples of the last minute
const states = new Map();      // tunnel -> state, to tell what changed
const open = new Map();        // tunnel -> whether its details are open, where a person decided

function savedLanguage() {
  let saved = null;
  try { saved = localStorage.getItem('language'); } catch { /* storage is switched off */ }
  if (saved === 'en' || saved === 'zh') return saved;
  return (navigator.language || '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

const word = key => WORDS[language][key];
const inLanguage = (en, zh) => (language === 'zh' && zh ? zh : en);

// el('p.soft', 'text', child, [more children], null): an element; strings become text.
function el(kind, ...children) {
  const [tag, ...classes] = kind.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
}

const list = items => el('ul', items.map(item => el('li', item)));

function duration(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const total = Math.max(0, Math.floor(seconds));
  const at = Math.max(0, units.findIndex(([size]) => total >= size));
  if (total < 1) return '0 s';
  const [size, name] = units[at];
  const next = units[at + 1];
  const rest = next ? Math.floor(total % size / next[0]) : 0;
  return `${Math.floor(total / size)} ${name}` + (rest ? ` ${rest} ${next[1]}` : '');
}

function clock(seconds) {
  const time = new Date(seconds * 1000);
  const element = el('time', time.toLocaleString(word('lang'), {dateStyle: 'short', timeStyle: 'medium'}));
  element.dateTime = time.toISOString();
  return element;
}

const milliseconds = seconds => `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 1)} ms`;
const percent = ratio => `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
const count = number => Number(number).toLocaleString(word('lang'));

function remember(echo) {
  for (const e of echo) {
    const key = JSON.stringify([e.tunnel, e.target, e.role]);
    const samples = history.get(key) || [];
    samples.push({time: report.generated, lost: e.lost, replies: e.replies, sum: e.rtt.sum, count: e.rtt.count});
    while (samples.length > 2 && samples[1].time < report.generated - WINDOW_S) samples.shift();
    if (samples.length > 1 && samples[0].replies > e.replies) samples.splice(0, samples.length - 1);  // it started anew
    history.set(key, samples);
  }
}

// Loss and mean round trip of the last minute; of the whole run while the page is too young for a minute's difference.
function recent(e) {
  const samples = history.get(JSON.stringify([e.tunnel, e.target, e.role])) || [];
  const before = samples.length > 1 ? samples[0] : {lost: 0, replies: 0, sum: 0, count: 0};
  const lost = e.lost - before.lost;
  const finished = lost + e.replies - before.replies;
  const answered = e.rtt.count - before.count;
  return {
    loss: finished > 0 ? lost / finished : null,
    rtt: answered > 0 ? (e.rtt.sum - before.sum) / answered : null,
  };
}

const echoOf = tunnel => report.echo.filter(e => e.tunnel === tunnel.name);
const activeCauses = tunnel => tunnel.causes.filter(c => c.active);
const title = cause => inLanguage(cause.title, cause.title_zh) || cause.cause;

function titleOfId(id) {
  const known = causes.get(id);
  return known ? inLanguage(known.title, known.title_zh) || id : id;
}

function stateBadge(tunnel) {
  const known = ['up', 'down', 'negotiating', 'unknown'].includes(tunnel.state);
  const warned = tunnel.state === 'up' && activeCauses(tunnel).some(c => c.severity !== 'notice');
  return el(`span.state.${warned ? 'warned' : known ? tunnel.state : 'unknown'}`, known ? word(tunnel.state) : tunnel.state);
}

function urgency(tunnel) {
  if (tunnel.state === 'down') return 0;
  if (activeCauses(tunnel).length) return 1;
  return {negotiating: 2, unknown: 3, up: 4}[tunnel.state] ?? 3;
}

function row(tunnel) {
  const active = activeCauses(tunnel);
  const probe = echoOf(tunnel)[0];
  const now = probe ? recent(probe) : {loss: null, rtt: null};
  const link = el('a', tunnel.name);
  link.href = '#' + anchor(tunnel);
  link.addEventListener('click', () => { open.set(tunnel.name, true); showDetails(); });
  const name = el('th', link);
  name.scope = 'row';
  const cause = active.length ? title(active[0]) + (active.length > 1 ? word('more')(active.length - 1) : '')
      : tunnel.state === 'down' ? word('noCause') : '';
  return el('tr', name, el('td', stateBadge(tunnel)), el('td', cause),
      el('td.wide', tunnel.state_since ? duration(report.generated - tunnel.state_since) : ''),
      el('td.wide.number', now.rtt === null ? '' : milliseconds(now.rtt)),
      el('td.wide.number', now.loss === null ? '' : percent(now.loss)));
}

const anchor = tunnel => 'tunnel-' + encodeURIComponent(tunnel.name);

function causeBlock(cause) {
  const guide = cause.sections.length ? `, ${word('guide')} ${cause.sections.join(', ')}` : '';
  const block = el(cause.active ? 'div.cause' : 'div.cause.past',
      el('h3', title(cause), el('span.soft', ` (${word(cause.confidence) || cause.confidence}${guide})`)));
  const recording = cause.capture ? [el('p.soft', word('recording')), el('p.path', cause.capture)] : [];
  if (!cause.active) {
    block.append(el('p', word('first'), ' ', clock(cause.first_seen)));
    if (cause.cleared) block.append(el('p', word('past'), ' ', clock(cause.cleared)));
    block.append(...recording);
    return block;
  }
  const evidence = language === 'zh' && cause.evidence_zh.length ? cause.evidence_zh.map((t, i) => t || cause.evidence[i]) : cause.evidence;
  if (evidence.length) block.append(el('p.soft', word('evidence')), list(evidence));
  const action = inLanguage(cause.action, cause.action_zh);
  if (action) block.append(el('p.soft', word('action')), el('p', action));
  if (cause.alternatives.length)
    block.append(el('p.soft', word('alternatives')), list(cause.alternatives.map(id => causes.has(id) ? `${titleOfId(id)} (${id})` : id)));
  block.append(...recording);
  block.append(el('p.soft', word('first'), ' ', clock(cause.first_seen), ' · ', cause.cause));
  return block;
}

function echoLine(e) {
  const now = recent(e);
  const parts = [now.rtt === null ? null : milliseconds(now.rtt), now.loss === null ? null : `${percent(now.loss)} ${word('lost')}`];
  return `ICMP ${e.target} (${word('roles')[e.role] || e.role}): ` + (parts.filter(p => p !== null).join(', ') || word('noProbe'));
}

function probeLine(p) {
  const answer = p.reachable === null ? word('noProbe') : p.reachable ? word('answers') : word('silent');
  const median = p.rtt.median === null ? '' : `, ${milliseconds(p.rtt.median)}`;
  return `IKE UDP ${p.port}: ${answer}${p.reachable ? median : ''}${p.last_answer ? ` (${p.last_answer})` : ''}`;
}

function espLine(direction, e) {
  return `${direction}: ${count(e.packets)} ${word('packets')}, ${count(e.lost)} ${word('lost')}, ` +
      `${count(e.reordered)} ${word('reordered')}, ${count(e.duplicates)} ${word('duplicates')}`;
}

// The verdict with the word that decides it, then what else was said. Agents before it told nothing.
function espPathLines(reach) {
  if (!reach || reach.evidence.length === 0) return [];
  const said = e => inLanguage(e.text, e.text_zh);
  const decides = reach.evidence.find(e => reach.by !== '' && e.witness === reach.by);
  const others = reach.evidence.filter(e => e !== decides).map(e => (e.beside ? word('beside') : '') + said(e));
  return [(word(reach.verdict) || reach.verdict) + (decides ? `: ${said(decides)}` : ''), ...others];
}

function pathMtuText(path) {
  return path ? `${count(path.mtu)} ${word('bytes')}${path.black_hole ? `, ${word('blackHole')}` : ''}` : '';
}

function natText(nat) {
  const found = [nat.local ? word('natLocal') : null, nat.remote ? word('natRemote') : null].filter(t => t !== null);
  if (found.length) return found.join(', ');
  return nat.local === false && nat.remote === false ? word('natNone') : '';
}

function eventItem(event) {
  const by = event.by ? ` ${word('by')[event.by] || event.by}` : '';
  return [clock(event.time), ` ${event.event}${by}${event.detail ? ': ' + event.detail : ''}`];
}

function facts(tunnel) {
  const out = el('dl');
  const fact = (name, value) => {
    if (value === '' || (Array.isArray(value) && value.length === 0)) return;
    out.append(el('dt', word(name)), el('dd', Array.isArray(value) ? list(value) : value));
  };
  const version = tunnel.ike_version ? `, IKEv${tunnel.ike_version}` : '';
  fact('peer', `${tunnel.local || '?'} – ${tunnel.remote || '?'}${version}${tunnel.configured ? '' : ` (${word('discovered')})`}`);
  fact('differences', tunnel.offers.differences);
  fact('offersLocal', tunnel.offers.local);
  fact('offersRemote', tunnel.offers.remote);
  fact('probes', [...echoOf(tunnel).map(echoLine), ...report.ike_probes.filter(p => p.tunnel === tunnel.name).map(probeLine)]);
  fact('esp', Object.entries(tunnel.esp_totals).filter(([, e]) => e.packets > 0).map(([d, e]) => espLine(d, e)));
  fact('espPath', espPathLines(tunnel.esp_reachability));
  fact('pathMtu', pathMtuText(tunnel.path_mtu));
  fact('nat', natText(tunnel.nat));
  fact('blind', tunnel.blind.join(', '));
  fact('events', tunnel.events.slice(-20).reverse().map(eventItem));
  return out;
}

// What is closed has no content yet. A click fills it and is remembered at once: the event `toggle` comes in a later
// task, and a report that was shown in between would close the box again.
function details(tunnel) {
  const summary = el('summary', tunnel.name, stateBadge(tunnel));
  const box = el('details', summary);
  box.id = anchor(tunnel);
  box.open = open.get(tunnel.name) ?? activeCauses(tunnel).length > 0;
  summary.addEventListener('click', () => {
    open.set(tunnel.name, !box.open);
    if (box.children.length === 1) fill(box, tunnel);
  });
  if (box.open) fill(box, tunnel);
  return box;
}

function fill(box, tunnel) {
  for (const cause of tunnel.causes) box.append(causeBlock(cause));
  box.append(facts(tunnel));
}

function shownTunnels() {
  const wanted = byId('filter').value.trim().toLowerCase();
  return report.tunnels.filter(t => t.name.toLowerCase().includes(wanted))
      .sort((a, b) => urgency(a) - urgency(b) || a.name.localeCompare(b.name));
}

// Replaces the children, and leaves the keyboard's focus where it was.
function replace(parent, children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const key = focused && (focused.getAttribute('href') || focused.closest('details')?.id);
  parent.replaceChildren(...children);
  if (!key) return;
  for (const candidate of parent.querySelectorAll('a, summary'))
    if (candidate.getAttribute('href') === key || candidate.closest('details')?.id === key) return candidate.focus({preventScroll: true});
}

const showDetails = () => replace(byId('details'), shownTunnels().map(details));

function agentItems(agent) {
  const items = [[`${word('version')} ${agent.version}, ${agent.ready ? word('ready') : word('notReady')}`]];
  if (!agent.config_last_reload_successful) items.push([el('span.bad', `${word('config')}: ${agent.config_error}`)]);
  for (const c of agent.captures) {
    const text = `${word('capture')} ${c.interface}: ` + (c.up
        ? `${count(c.received)} ${word('captured')}, ${count(c.dropped + c.interface_dropped)} ${word('dropped')}`
        : `${word('off')}${c.error ? ` (${c.error})` : ''}`);
    items.push([c.up && c.dropped + c.interface_dropped === 0 ? text : el('span.bad', text)]);
  }
  for (const [source, up] of Object.entries(agent.sources)) {
    const text = `${word('source')} ${source}: ${up ? word('works') : word('off')}`;
    items.push([up ? text : el('span.bad', text)]);
  }
  return items.map(item => el('li', item));
}

function showWords() {
  document.documentElement.lang = word('lang');
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-placeholder]')) element.placeholder = word(element.dataset.placeholder);
  const button = byId('language');
  button.textContent = word('other');
  button.lang = word('otherLang');
}

function showSums() {
  const sums = ['down', 'negotiating', 'unknown', 'up'].map(state => [state, report.tunnels.filter(t => t.state === state).length]);
  const text = sums.filter(([, n]) => n > 0).map(([state, n]) => `${n} ${word(state)}`).join(', ');
  byId('sums').textContent = text;
  document.title = (text ? text + ' – ' : '') + 'tunnelwatch';
}

function show() {
  if (!report) return;
  showSums();
  replace(byId('tunnels'), shownTunnels().map(row));
  showDetails();
  byId('empty').hidden = report.tunnels.length > 0;
  const references = report.echo.filter(e => e.tunnel === '');
  byId('references').hidden = references.length === 0;
  byId('reference-list').replaceChildren(...references.map(e => el('li', echoLine(e))));
  byId('agent').replaceChildren(...(report.agent ? agentItems(report.agent) : []));
  byId('updated').replaceWith(Object.assign(clock(report.generated), {id: 'updated'}));
}

// Changes of state are read out by screen readers; the first report is no change.
function tellChanges() {
  const first = states.size === 0;
  const news = [];
  for (const tunnel of report.tunnels) {
    const before = states.get(tunnel.name);
    if (!first && before !== tunnel.state) news.push(word('isNow')(tunnel.name, word(tunnel.state) || tunnel.state));
    states.set(tunnel.name, tunnel.state);
  }
  if (news.length) byId('news').textContent = news.slice(0, 5).join('; ');
}

function showAlarm(failed) {
  document.body.classList.toggle('stale', failed);
  byId('alarm').hidden = !failed;
  if (!failed) return;
  const text = receivedAt === null ? word('neverAnswered') : word('noAnswer') + receivedAt.toLocaleTimeString(word('lang'));
  if (byId('alarm').textContent !== text) byId('alarm').textContent = text;
}

async function fetchJson(path) {
  const answer = await fetch(path, {signal: AbortSignal.timeout(10000)});
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function refresh() {
  try {
    if (causes.size === 0) causes = new Map((await fetchJson('/api/v1/causes')).causes.map(c => [c.cause, c]));
    report = await fetchJson('/api/v1/report');
    receivedAt = new Date();
    showAlarm(false);
    remember(report.echo);
    tellChanges();
    show();
  } catch {
    showAlarm(true);
  }
  setTimeout(refresh, REFRESH_MS);
}

byId('language').addEventListener('click', () => {
  language = language === 'en' ? 'zh' : 'en';
  try { localStorage.setItem('language', language); } catch { /* then it lasts as long as the page */ }
  showWords();
  show();
});
byId('filter').addEventListener('input', show);
showWords();
refresh();
