// Starts the two issuers in one process: node server.mjs SETTINGS.json
import fs from 'node:fs';
import http from 'node:http';
import { DRESSES, acrOf, rank } from './dresses.mjs';
import { errorPage, frontPage, loginPage } from './pages.mjs';
import { find } from './persons.mjs';
import { createProvider } from './provider.mjs';
import { settings } from './settings.mjs';

const MOST_FORM_BYTES = 10_000;
const STYLE = fs.readFileSync(new URL('./style.css', import.meta.url));

function answer(res, status, html) {
  res.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // No form-action: browsers apply it to the whole chain of redirects, which goes on to the services' hosts.
    'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  });
  res.end(html);
}

async function formOf(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > MOST_FORM_BYTES) throw new Error('form too large');
  }
  return new URLSearchParams(body);
}

// Somebody else logs in over a live session: the session changes hands without logging her out elsewhere.
async function handOver(provider, uid, accountId) {
  const session = uid && await provider.Session.findByUid(uid);
  if (!session || !session.accountId || session.accountId === accountId) return;
  session.accountId = undefined;
  session.authorizations = {};
  await session.persist();
}

async function interaction(provider, dress, req, res) {
  const { params, session } = await provider.interactionDetails(req, res);
  const ranks = (params.acr_values || '').split(' ').map(rank).filter((each) => each >= 0);
  const wanted = ranks.length ? Math.min(...ranks) : -1;
  if (req.method !== 'POST') return answer(res, 200, loginPage(dress, req.url, wanted));
  const form = await formOf(req);
  if (form.get('cancel')) return provider.interactionFinished(req, res, { error: 'access_denied' });
  const person = find(dress.kind, form.get('other')?.trim() || form.get('pid') || '');
  if (!person) return answer(res, 422, loginPage(dress, req.url, wanted, 'Velg en person, eller skriv et gyldig syntetisk nummer.'));
  const level = (form.get('level') || '').replace('idporten-loa-', '');
  if (!person.levels.includes(level)) return answer(res, 422, loginPage(dress, req.url, wanted, 'Denne personen kan ikke logge inn på den måten.'));
  const given = person.always ?? level;
  const login = { accountId: person.id, acr: acrOf(given), amr: dress.amr[given], remember: true };
  const next = await provider.interactionResult(req, res, { login }, { mergeWithLastSubmission: false });
  await handOver(provider, session?.uid, person.id); // after the result: it insists on the session that the page was shown to
  return res.writeHead(303, { location: next }).end();
}

for (const [name, dress] of Object.entries(DRESSES)) {
  const own = settings[name];
  const provider = createProvider(name, dress, own.issuer ?? `http://127.0.0.1:${own.port}`, own);
  const pass = provider.callback();
  http.createServer((req, res) => {
    const path = req.url.split('?')[0];
    if (path === '/') return answer(res, 200, frontPage(dress));
    if (path === '/style.css') return res.writeHead(200, { 'content-type': 'text/css', 'cache-control': 'max-age=300' }).end(STYLE);
    if (!path.startsWith('/interaction/')) return pass(req, res);
    return interaction(provider, dress, req, res).catch((error) => {
      console.error(name, 'interaction', error.name);
      answer(res, 400, errorPage(dress, { error: error.error ?? 'error' }));
    });
  }).listen(own.port, own.bind ?? '127.0.0.1', () => console.log(name, 'listens'));
}
