# Runs once, when an agency's cluster is made: the service's own role and database, closed to others.
# The official image reads this file into its own script: `exit` and `set` are that one's too.
set -e
password=$(cat /run/secrets/role) # ends here when it can't be read: within the text below it would be an empty one
psql -q -v ON_ERROR_STOP=1 --username postgres <<SQL
create role $AGENCY login password '$password';
create database $AGENCY owner $AGENCY;
revoke all on database $AGENCY from public;
SQL
