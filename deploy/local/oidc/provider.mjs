// One certified provider (panva's oidc-provider) in one dress: levels, step-up, private_key_jwt, logout as ID-porten does them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import Provider, { interactionPolicy } from 'oidc-provider';
import { rank } from './dresses.mjs';
import { errorPage } from './pages.mjs';
import { find } from './persons.mjs';

const SESSION_SECONDS = 1800;
const LOCALES = ['nb', 'nn', 'en', 'se'];

function policy(dress) {
  const prompts = interactionPolicy.base();
  prompts.remove('consent'); // ID-porten has no consent page
  prompts.get('login').checks.add(new interactionPolicy.Check('loa_too_low', 'a higher level is wanted', (ctx) => {
    const wanted = (ctx.oidc.params.acr_values || '').split(' ').map(rank).filter((each) => each >= 0);
    const person = ctx.oidc.session.accountId && find(dress.kind, ctx.oidc.session.accountId);
    if (person?.always) return false; // comes back too low, so that services can show that they check
    return wanted.length > 0 && rank(ctx.oidc.session.acr) < Math.min(...wanted);
  }));
  return prompts;
}

function client(settings) {
  const { keys } = JSON.parse(fs.readFileSync(settings.jwks_file));
  return {
    client_id: settings.client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
    jwks: { keys: keys.filter((key) => key.use === 'sig').map(({ kty, kid, use, alg, n, e }) => ({ kty, kid, use, alg, n, e })) },
    redirect_uris: settings.redirect_uris,
    post_logout_redirect_uris: settings.post_logout_redirect_uris,
    response_types: ['code'],
    grant_types: ['authorization_code'],
    subject_type: 'pairwise',
    id_token_signed_response_alg: 'RS256',
    ...(settings.backchannel_logout_uri
      ? { backchannel_logout_uri: settings.backchannel_logout_uri, backchannel_logout_session_required: true } : {}),
  };
}

// ID-porten ends the session at once and sends the browser back: no question, no page that needs a script.
async function logOutWithoutAsking(ctx, next) {
  await next();
  if (ctx.oidc?.route !== 'end_session' || ctx.status !== 200) return;
  const { session, provider } = ctx.oidc;
  await Promise.all(Object.keys(session.authorizations || {}).map(async (id) => {
    const relying = await provider.Client.find(id);
    if (!relying?.backchannelLogoutUri) return;
    await relying.backchannelLogout(session.accountId, session.sidFor(id)).catch((error) => console.error('back-channel logout:', error.message));
  }));
  const { postLogoutRedirectUri, state } = session.state;
  await session.destroy();
  ctx.cookies.set(provider.cookieName('session'), null, { httpOnly: true, sameSite: 'lax' });
  const target = new URL(postLogoutRedirectUri ?? '/', provider.issuer);
  if (postLogoutRedirectUri && state != null) target.searchParams.set('state', state);
  ctx.status = 303;
  ctx.redirect(target.href);
}

export function createProvider(name, dress, issuer, settings) {
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const locales = new Map(); // grant id -> the language that she read the page in
  const provider = new Provider(issuer, {
    clients: [client(settings)],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: `${name}-${crypto.randomUUID()}` }] },
    acrValues: dress.levels,
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: (ctx, id, { clientId }) => crypto.createHash('sha256').update(`${name} ${clientId} ${id}`).digest('base64url'),
    conformIdTokenClaims: false, // claims stand in the id_token itself
    claims: { openid: dress.claims, sid: null, iss: null },
    scopes: ['openid', 'profile'],
    ui_locales_supported: LOCALES,
    discovery: { ui_locales_supported: LOCALES },
    features: {
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: dress.requirePar },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      revocation: { enabled: true },
    },
    pkce: { required: () => true },
    interactions: { policy: policy(dress), url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    cookies: { // cookies don't know ports: two issuers on one address need names of their own
      keys: [crypto.randomBytes(32).toString('base64url')],
      names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` },
    },
    ttl: {
      AccessToken: 120, AuthorizationCode: 60, IdToken: 120, Interaction: 600, PushedAuthorizationRequest: 120,
      Session: SESSION_SECONDS, Grant: SESSION_SECONDS,
    },
    findAccount: async (ctx, id, token) => ({
      accountId: id,
      claims: async () => ({ sub: id, locale: locales.get(token?.grantId) ?? 'nb', ...dress.about(find(dress.kind, id)) }),
    }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile');
      const id = await grant.save();
      const language = (ctx.oidc.params.ui_locales || 'nb').split(' ').find((each) => LOCALES.includes(each)) ?? 'nb';
      locales.set(id, language);
      setTimeout(() => locales.delete(id), SESSION_SECONDS * 1000).unref();
      return grant;
    },
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      ctx.body = errorPage(dress, out);
    },
    // Its own guard refuses loopback addresses; here everything is on loopback.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  });
  provider.proxy = issuer.startsWith('https:'); // a gateway speaks TLS for it
  provider.use(logOutWithoutAsking);
  for (const event of ['server_error', 'authorization.error', 'pushed_authorization_request.error', 'grant.error', 'end_session.error']) {
    provider.on(event, (ctx, error) => console.error(name, event, error.error ?? error.name, error.error_detail ?? ''));
  }
  return provider;
}
