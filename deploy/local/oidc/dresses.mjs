// How the same provider looks as ID-porten (youths) and as Ansattporten (staff).

const LEVELS = ['idporten-loa-low', 'idporten-loa-substantial', 'idporten-loa-high'];

export const rank = (acr) => LEVELS.indexOf(acr);
export const acrOf = (level) => (LEVELS.includes(level) ? level : `idporten-loa-${level}`);

export const DRESSES = {
  idporten: {
    title: 'Test-ID-porten',
    kind: 'youths',
    levels: LEVELS,
    requirePar: true,
    claims: ['sub', 'pid', 'locale', 'acr', 'amr', 'auth_time'],
    choices: { substantial: 'MinID (betydelig nivå)', high: 'BankID (høyt nivå)' },
    amr: { substantial: ['Minid-OTC'], high: ['BankID'] },
    // Some eIDs give no national number: the claim is then missing, not empty.
    about: (person) => (person.pid ? { pid: person.pid } : {}),
  },
  ansattporten: {
    title: 'Test-Ansattporten',
    kind: 'staff',
    levels: LEVELS.slice(1),
    requirePar: false,
    claims: ['sub', 'locale', 'acr', 'amr', 'auth_time', 'name', 'organisation', 'organisation_name', 'roles', 'unit', 'hpr_number'],
    choices: { substantial: 'MinID (betydelig nivå)', high: 'BankID (høyt nivå)' },
    amr: { substantial: ['Minid-OTC'], high: ['BankID'] },
    about: ({ name, organisation, organisation_name, roles, unit, hpr_number }) => Object.fromEntries(
      Object.entries({ name, organisation, organisation_name, roles, unit, hpr_number }).filter(([, value]) => value !== null),
    ),
  },
};
