// Who can log in here: invented persons, and any number that is synthetic and well-formed. Never a real one.
import fs from 'node:fs';
import { settings } from './settings.mjs';

const { youths } = settings;
const { staff } = JSON.parse(fs.readFileSync(new URL('./persons.json', import.meta.url)));

const FIRST = [3, 7, 6, 1, 8, 9, 4, 5, 2, 1];
const SECOND = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];

const weighted = (digits, weights) => weights.reduce((sum, weight, i) => sum + weight * digits[i], 0);

// Tenor's rule: the month of a synthetic number is 80 higher; both check digits as usual (modulus 11).
export function isSynthetic(number) {
  if (!/^\d{11}$/.test(number)) return false;
  const digits = [...number].map(Number);
  const month = Number(number.slice(2, 4)) - 80;
  return month >= 1 && month <= 12 && weighted(digits, FIRST) % 11 === 0 && weighted(digits, SECOND) % 11 === 0;
}

export function listed(kind) {
  return kind === 'staff' ? staff : youths;
}

// The person with this id or number, an unlisted synthetic youth for a well-formed number, or nobody.
export function find(kind, id) {
  const person = listed(kind).find((each) => each.id === id || (each.pid && each.pid === id));
  if (person || kind === 'staff' || !isSynthetic(id)) return person;
  return { id, pid: id, name: 'Ikke på listen', levels: ['substantial', 'high'], note: '' };
}

export function age(person, today = new Date()) {
  const [year, month, day] = person.born.split('-').map(Number);
  const passed = today.getMonth() + 1 > month || (today.getMonth() + 1 === month && today.getDate() >= day);
  return today.getFullYear() - year - (passed ? 0 : 1);
}
