"""The browser's side of a service: sessions, forms, login at identity, tokens of API clients.

`sessions` (who is here), `submission` (what a form sent), `form` (a new form), `transaction` (what a door hands to a use case),
`relying_party` (login and logout), `tokens` (API clients), `guards` (the check that no unsafe route stands open).
"""
