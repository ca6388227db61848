// The provider's own pages: plain forms that work without a script, and say loudly that this is a test.
import { age, listed } from './persons.mjs';
import { acrOf, rank } from './dresses.mjs';

const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function page(dress, title, body) {
  return `<!doctype html>
<html lang="nb">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><p class="loud"><strong>TEST</strong> Dette er ikke en ekte innlogging. Alle personer er oppdiktet. Skriv aldri et ekte fødselsnummer her.</p></header>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>`;
}

function describe(dress, person) {
  if (dress.kind === 'staff') return [person.organisation_name, person.hpr_number && `HPR ${person.hpr_number}`].filter(Boolean).join(', ');
  return [`${age(person)} år`, `født ${person.born.split('-').reverse().join('.')}`, person.pid, person.note].filter(Boolean).join(' · ');
}

const personRow = (dress) => (person) => `<label class="choice"><input type="radio" name="pid" value="${escape(person.id)}">
<span><b>${escape(person.name)}</b><br><small>${escape(describe(dress, person))}</small></span></label>`;

function levelRow(dress, wanted) {
  return ([level, text]) => {
    const tooLow = rank(acrOf(level)) < wanted;
    const chosen = !tooLow && (level === 'substantial' || rank(acrOf('substantial')) < wanted);
    return `<label class="choice"><input type="radio" name="level" value="${level}"${chosen ? ' checked' : ''}>
<span>${escape(text)}${tooLow ? '<br><small>Tjenesten ber om et høyere nivå enn dette.</small>' : ''}</span></label>`;
  };
}

// `wanted`: the rank of the lowest level that will do, -1 for any.
export function loginPage(dress, action, wanted, error) {
  const other = dress.kind === 'staff' ? '' : `
<p><label for="other">Et annet syntetisk nummer (måned + 80)</label><br>
<input id="other" name="other" inputmode="numeric" autocomplete="off" maxlength="11"></p>`;
  return page(dress, dress.title, `${error ? `<p class="error" role="alert">${escape(error)}</p>` : ''}
<form method="post" action="${escape(action)}">
<fieldset><legend>Hvem logger inn?</legend>
${listed(dress.kind).map(personRow(dress)).join('\n')}${other}
</fieldset>
<fieldset><legend>Hvordan?</legend>
${Object.entries(dress.choices).map(levelRow(dress, wanted)).join('\n')}
</fieldset>
<p class="buttons"><button type="submit">Logg inn</button>
<button type="submit" name="cancel" value="yes" class="quiet">Avbryt</button></p>
</form>`);
}

export function frontPage(dress) {
  return page(dress, dress.title, `<p>Tjenestene sender deg hit når du skal logge inn. Disse kan du logge inn som:</p>
<ul>${listed(dress.kind).map((person) => `<li><b>${escape(person.name)}</b><br><small>${escape(describe(dress, person))}</small></li>`).join('\n')}</ul>`);
}

const WHAT_HAPPENED = {
  access_denied: 'Innloggingen ble avbrutt.',
  invalid_request: 'Tjenesten sendte deg hit på en måte som ikke er lov.',
};

// Only the error's code is shown: descriptions can repeat what was sent.
export function errorPage(dress, out) {
  const code = /^[a-z_]{1,60}$/.test(out.error) ? out.error : 'error';
  return page(dress, 'Innloggingen stoppet', `<p>${WHAT_HAPPENED[code] ?? 'Innloggingen kan være for gammel. Gå tilbake til siden du kom fra og prøv på nytt.'}</p>
<p><small>${code}</small></p>`);
}
